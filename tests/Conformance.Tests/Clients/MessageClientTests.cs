using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>The client of messages: an answer is its question's or an error, whatever the server does.</summary>
public sealed class MessageClientTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(20);
    private static readonly Framing _framing = Framing.LengthPrefix(4);

    public static TheoryData<string> Here => Models.Only(Models.Here);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    /// <summary>
    /// What a server may do to a question. What comes unasked comes together with an answer: nobody can tell what comes later, when the
    /// next question is on its way.
    /// </summary>
    private enum Deed
    {
        Answer,
        AnswerInPieces,
        AnswerAtOnceWithMore,
        AnswerSlowly,
        AnswerLate,
        HalfAnAnswer,
        Close,
        Reset,
        AnswerAndClose,
        Silence,
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Answer_i_belongs_to_question_i_or_is_an_error_whatever_the_server_does(int seed)
    {
        await using ScriptedServer server = new((socket, number) => MisbehaveAsync(socket, new Random((seed * 1000) + number)));
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing);
        Random random = new(seed);
        int answered = 0;
        for (int i = 0; i < 60; i++)
        {
            try
            {
                byte[] answer = await client.AskAsync(Number(i), TimeSpan.FromMilliseconds(random.Next(1, 40)), CancellationToken.None);
                Assert.Equal(i, NumberOf(answer));
                answered++;
            }
            catch (NetworkException)
            {
                // No answer is one too; a wrong one is not.
            }
        }

        Assert.InRange(answered, 1, 60);
    }

    [Fact]
    public async Task Eight_callers_of_a_thousand_questions_each_with_time_outs_and_cancellations_get_their_own_answers()
    {
        Service echo = Service.Framed(
            "echo",
            _framing,
            static async (message, answer, _, closed) =>
            {
                if (message.Span[^1] % 8 == 0)
                {
                    await Task.Delay(message.Span[^1] % 3, closed);
                }

                answer.Write(message.Span);
            },
            maxConcurrent: 16);
        await using Running server = await Running.StartAsync(echo);
        MessageClientOptions options = new() { MaxConnections = 3, MaxPipelined = 4 };
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing, options);
        int answered = 0;
        int given = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            Random random = new(caller);
            for (int i = 0; i < 1000; i++)
            {
                int number = (caller * 1000) + i;
                using CancellationTokenSource cancel = new();
                if (random.Next(20) == 0)
                {
                    cancel.CancelAfter(random.Next(3));
                }

                TimeSpan timeout = random.Next(10) == 0 ? TimeSpan.FromMilliseconds(random.Next(1, 4)) : _long;
                try
                {
                    Assert.Equal(number, NumberOf(await client.AskAsync(Number(number), timeout, cancel.Token)));
                    Interlocked.Increment(ref answered);
                }
                catch (Exception why) when (why is NetworkException or OperationCanceledException)
                {
                    Interlocked.Increment(ref given);
                }
            }
        })));
        Assert.Equal(8000, answered + given);
        Assert.InRange(answered, 4000, 8000);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Pipelined_questions_are_answered_in_order_under_every_model(string model)
    {
        Service echo = Service.Framed("echo", _framing, static (message, answer) => answer.Write(message));
        await using Running server = await Running.StartAsync(echo, model: model);
        using MessageClient client = await MessageClient.ConnectAsync(
            server.Endpoint, _framing, new MessageClientOptions { MaxPipelined = 16 }, TestContext.Current.CancellationToken);
        byte[][] answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.AskAsync(Number(i), _long)));
        Assert.Equal(Enumerable.Range(0, 500), answers.Select(static answer => NumberOf(answer)));
        Assert.Equal(1, server.Counts.ConnectionsOpened);
    }

    [Fact]
    public async Task Who_asks_ahead_of_a_question_that_is_given_up_gets_the_answer_and_who_asks_behind_it_an_error()
    {
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource allHere = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = new(async (socket, number) =>
        {
            List<byte[]> questions = [];
            while (await ReadFrameAsync(socket) is { } question)
            {
                questions.Add(question);
                if (number > 1)
                {
                    await socket.SendAsync(question);
                }
                else if (questions.Count == 3)
                {
                    allHere.SetResult();
                    await goOn.Task;
                    await socket.SendAsync(questions[0]);
                }
            }
        });
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing, new MessageClientOptions { MaxPipelined = 3 });
        using CancellationTokenSource cancel = new();
        Task<byte[]> first = client.AskAsync(Number(1), _long);
        Peer.Eventually(() => server.Accepted == 1, "it is connected");
        Task<byte[]> second = client.AskAsync(Number(2), _long, cancel.Token);
        Task<byte[]> third = client.AskAsync(Number(3), _long);
        await allHere.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        NetworkException behind = await Assert.ThrowsAsync<NetworkException>(() => third);
        Assert.Equal(SocketError.ConnectionAborted, behind.Error);
        goOn.SetResult();
        Assert.Equal(1, NumberOf(await first));
        Assert.Equal(4, NumberOf(await client.AskAsync(Number(4), _long)));
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task There_are_no_more_connections_than_may_be_and_who_finds_none_waits_within_its_time()
    {
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = new(async (socket, _) =>
        {
            while (await ReadFrameAsync(socket) is { } question)
            {
                await goOn.Task;
                await socket.SendAsync(question);
            }
        });
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing, new MessageClientOptions { MaxConnections = 2 });
        Task<byte[]>[] asking = [.. Enumerable.Range(0, 5).Select(i => client.AskAsync(Number(i), _long))];
        Peer.Eventually(() => server.Accepted == 2, "two are connected");
        NetworkException late = await Assert.ThrowsAsync<IncompleteReplyException>(
            () => client.AskAsync(Number(9), TimeSpan.FromMilliseconds(50)));
        Assert.Equal(SocketError.TimedOut, late.Error);
        goOn.SetResult();
        Assert.Equal(Enumerable.Range(0, 5), (await Task.WhenAll(asking)).Select(static answer => NumberOf(answer)));
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task A_server_that_comes_back_is_found_again()
    {
        int port;
        MessageClient client;
        await using (ScriptedServer first = new(EchoAsync))
        {
            port = first.Port;
            client = MessageClient.Create(first.Endpoint, _framing);
            Assert.Equal(1, NumberOf(await client.AskAsync(Number(1), _long)));
        }

        using (client)
        {
            for (int i = 0; i < 3; i++)
            {
                await Assert.ThrowsAnyAsync<NetworkException>(() => client.AskAsync(Number(2), TimeSpan.FromSeconds(2)));
            }

            await using ScriptedServer second = new(EchoAsync, port);
            Assert.Equal(3, NumberOf(await client.AskAsync(Number(3), _long)));
        }
    }

    [Trait("Needs", "Linux")]
    [Fact]
    public async Task A_connection_that_the_server_ended_at_rest_is_replaced_without_a_word()
    {
        using SemaphoreSlim ended = new(0);
        await using ScriptedServer server = new(async (socket, number) =>
        {
            await socket.SendAsync((await ReadFrameAsync(socket))!);
            socket.Close(number % 2 == 0 ? 0 : -1);
            ended.Release();
        });
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing);
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal(i, NumberOf(await client.AskAsync(Number(i), _long)));

            // Over loopback the end, or the reset, is here when close(2) has returned there.
            Assert.True(await ended.WaitAsync(_long, TestContext.Current.CancellationToken));
        }
    }

    /// <summary>The server's drain would wait for it.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_connection_at_rest_ends_when_the_server_ends_though_nobody_asks(bool asks, bool isTold)
    {
        TaskCompletionSource<int> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = new(async (socket, number) =>
        {
            if (asks || number > 1)
            {
                await socket.SendAsync((await ReadFrameAsync(socket))!);
            }

            if (isTold)
            {
                await socket.SendAsync("goodbye"u8.ToArray());
            }

            socket.Shutdown(SocketShutdown.Send);
            ended.TrySetResult(await socket.ReceiveAsync(new byte[1]));
        });
        using MessageClient client = await MessageClient.ConnectAsync(server.Endpoint, _framing);
        if (asks)
        {
            Assert.Equal(1, NumberOf(await client.AskAsync(Number(1), _long)));
        }

        Assert.Equal(0, await ended.Task.WaitAsync(_long, TestContext.Current.CancellationToken));
        if (isTold || !asks)
        {
            NetworkException told = await Assert.ThrowsAnyAsync<NetworkException>(() => client.AskAsync(Number(2), _long));
            Assert.Contains(isTold ? "goodbye" : "without a reply", told.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, NumberOf(await client.AskAsync(Number(3), _long)));
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task A_server_that_ends_every_connection_at_once_is_an_error_and_not_called_without_end()
    {
        await using ScriptedServer server = new(static (socket, _) => Task.CompletedTask);
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing);
        for (int i = 0; i < 3; i++)
        {
            await Assert.ThrowsAnyAsync<NetworkException>(() => client.AskAsync(Number(i), TimeSpan.FromMilliseconds(200)));
        }

        Assert.InRange(server.Accepted, 1, 3);
    }

    [Fact]
    public async Task An_answer_past_the_bound_and_one_that_the_end_cuts_off_are_errors()
    {
        await using ScriptedServer server = new(static async (socket, number) =>
        {
            await ReadFrameAsync(socket);
            byte[] answer = number == 1 ? [0, 0, 255, 255, .. new byte[65535]] : [0, 0, 0, 4, 1, 2];
            await socket.SendAsync(answer);
        });
        using MessageClient client = MessageClient.Create(server.Endpoint, _framing, new MessageClientOptions { MaxAnswerBytes = 10_000 });
        NetworkException large = await Assert.ThrowsAsync<NetworkException>(() => client.AskAsync(Number(1), _long));
        Assert.Contains("MaxAnswerBytes", large.Message, StringComparison.Ordinal);
        NetworkException cut = await Assert.ThrowsAsync<NetworkException>(() => client.AskAsync(Number(2), _long));
        Assert.Contains("in the middle of a reply", cut.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_that_the_framing_can_not_carry_are_refused()
    {
        await using ScriptedServer server = new(EchoAsync);
        foreach ((Framing framing, byte[] message) in new (Framing, byte[])[]
        {
            (Framing.Line, [.. "a\nb"u8]), (Framing.Nul, [1, 0, 2]), (Framing.Delimiter("--"u8), [.. "a-"u8]), (Framing.FixedLength(4), []),
            (Framing.FixedLength(4), [1]), (Framing.LengthPrefix(1), new byte[256]),
        })
        {
            using MessageClient client = MessageClient.Create(server.Endpoint, framing);
            await Assert.ThrowsAsync<ArgumentException>(() => client.AskAsync(message, _long));
        }

        Assert.Throws<ArgumentException>(static () => MessageClient.Create(Endpoint.Parse("udp://localhost:1"), _framing));
        Assert.Throws<ArgumentOutOfRangeException>(
            static () => MessageClient.Create(Endpoint.Parse("tcp://localhost:1"), _framing, new() { MaxConnections = 0 }));
    }

    [Fact]
    public async Task Disposing_ends_what_is_under_way()
    {
        await using ScriptedServer server = new(static async (socket, _) => await socket.ReceiveAsync(new byte[1], SocketFlags.Peek));
        MessageClient client = MessageClient.Create(server.Endpoint, _framing, new MessageClientOptions { MaxPipelined = 4 });
        Task<byte[]>[] asking = [.. Enumerable.Range(0, 8).Select(i => client.AskAsync(Number(i), _long))];
        Peer.Eventually(() => server.Accepted == 1, "it is connected");
        client.Dispose();
        foreach (Task<byte[]> asked in asking)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => asked.WaitAsync(_long, TestContext.Current.CancellationToken));
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.AskAsync(Number(1), _long));
    }

    /// <summary>A client at rest watches its connection, and closing while a receive is under way must not reset it.</summary>
    [Fact]
    public async Task Disposing_at_rest_ends_the_connection_in_order()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo);
        for (int i = 0; i < 20; i++)
        {
            using MessageClient client = MessageClient.Create(server.Endpoint, Framing.Line);
            Assert.Equal("hello"u8.ToArray(), await client.AskAsync("hello"u8.ToArray(), _long));
        }

        Peer.Eventually(() => server.Counts.ConnectionsClosed.Sum() == 20, "all are closed");
        Assert.Equal(20, server.Counts.Closed(CloseReason.Completed));
    }

    private static async Task MisbehaveAsync(Socket socket, Random random)
    {
        while (await ReadFrameAsync(socket) is { } answer)
        {
            Deed deed = random.Next(3) == 0 ? (Deed)random.Next(1, 10) : Deed.Answer;
            switch (deed)
            {
                case Deed.Answer:
                    await socket.SendAsync(answer);
                    break;
                case Deed.AnswerInPieces:
                    foreach (byte piece in answer)
                    {
                        await socket.SendAsync(new[] { piece });
                    }

                    break;
                case Deed.AnswerAtOnceWithMore:
                    await socket.SendAsync((byte[])[.. answer, .. answer]);
                    break;
                case Deed.AnswerSlowly or Deed.AnswerLate:
                    await Task.Delay(random.Next(deed == Deed.AnswerLate ? 80 : 10));
                    await socket.SendAsync(answer);
                    break;
                case Deed.HalfAnAnswer:
                    await socket.SendAsync(answer.AsMemory(0, random.Next(1, answer.Length)));
                    return;
                case Deed.Close:
                    return;
                case Deed.Reset:
                    socket.Close(0);
                    return;
                case Deed.AnswerAndClose:
                    await socket.SendAsync(answer);
                    return;
            }
        }
    }

    private static async Task EchoAsync(Socket socket, int number)
    {
        while (await ReadFrameAsync(socket) is { } frame)
        {
            await socket.SendAsync(frame);
        }
    }

    /// <summary>One message of four bytes with its prefix; null at the end.</summary>
    private static async Task<byte[]?> ReadFrameAsync(Socket socket)
    {
        byte[] frame = new byte[8];
        for (int received = 0; received < frame.Length;)
        {
            int more = await socket.ReceiveAsync(frame.AsMemory(received));
            if (more == 0)
            {
                return null;
            }

            received += more;
        }

        return frame;
    }

    private static byte[] Number(int number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static int NumberOf(byte[] answer) => BinaryPrimitives.ReadInt32BigEndian(answer);
}
