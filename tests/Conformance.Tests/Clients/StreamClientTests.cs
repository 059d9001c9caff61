using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>The line client: textbook servers' replies, and no reply for another question.</summary>
public sealed class StreamClientTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_reply_is_never_given_to_the_next_question(bool cancelled)
    {
        TaskCompletionSource late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = new(async (socket, number) =>
        {
            while (await ScriptedServer.ReadLineAsync(socket) is { } line)
            {
                if (line.AsSpan().StartsWith("A"u8))
                {
                    await late.Task;
                }

                await socket.SendAsync(line);
            }
        });
        using StreamClient client = await ConnectAsync(server);
        using CancellationTokenSource cancel = new();
        Task<byte[]> asking = client.AskAsync("A"u8.ToArray(), cancelled ? _long : TimeSpan.FromMilliseconds(50), cancel.Token);
        if (cancelled)
        {
            Peer.Eventually(() => server.Accepted == 1, "it is connected");
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        }
        else
        {
            await Assert.ThrowsAsync<IncompleteReplyException>(() => asking);
        }

        late.SetResult();
        foreach (string question in new[] { "B", "C", "D" })
        {
            Assert.Equal(question, await AskAsync(client, question));
        }
    }

    [Fact]
    public async Task Two_who_ask_at_once_get_each_their_own_reply()
    {
        await using ScriptedServer server = new(EchoAsync);
        using StreamClient client = await ConnectAsync(server);
        string[] questions = [.. Enumerable.Range(0, 200).Select(static n => $"question {n}")];
        string[] replies = await Task.WhenAll(questions.Select(question => AskAsync(client, question)));
        Assert.Equal(questions, replies);
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task What_an_earlier_reply_left_over_is_no_reply_and_the_next_connection_is_in_step()
    {
        // The lecture's C server: it never clears its buffer, and writes all of it.
        await using ScriptedServer server = new(static async (socket, _) =>
        {
            byte[] buffer = new byte[64];
            while (await socket.ReceiveAsync(buffer) > 0)
            {
                await socket.SendAsync(buffer);
            }
        });
        using StreamClient client = await ConnectAsync(server);
        Assert.Equal("hello again", await AskAsync(client, "hello again"));
        Assert.Equal("two", await AskAsync(client, "two"));
        NetworkException stale = await Assert.ThrowsAsync<NetworkException>(() => AskAsync(client, "three"));
        Assert.Contains("o again", stale.Message, StringComparison.Ordinal);
        Assert.Contains("had come before the question was sent", stale.Message, StringComparison.Ordinal);
        Assert.Equal("three", await AskAsync(client, "three"));
    }

    [Fact]
    public async Task A_greeting_is_an_error_or_is_read_where_that_is_asked_for()
    {
        await using ScriptedServer server = new(static async (socket, number) =>
        {
            await socket.SendAsync("220 ready\r\n"u8.ToArray());
            await EchoAsync(socket, number);
        });
        using (StreamClient surprised = await ConnectAsync(server))
        {
            // It has come when a second client has read its own.
            using StreamClient other = await StreamClient.ConnectAsync(
                server.Endpoint, new MessageClientOptions { ReadsGreeting = true }, CancellationToken.None);
            NetworkException early = await Assert.ThrowsAsync<NetworkException>(() => AskAsync(surprised, "HELO"));
            Assert.Contains("220 ready", early.Message, StringComparison.Ordinal);
            Assert.Contains("ReadsGreeting", early.Message, StringComparison.Ordinal);
        }

        using StreamClient greeted = await StreamClient.ConnectAsync(
            server.Endpoint, new MessageClientOptions { ReadsGreeting = true }, CancellationToken.None);
        Assert.Equal("220 ready", Encoding.UTF8.GetString(greeted.Greeting.Span));
        Assert.Equal("HELO", await AskAsync(greeted, "HELO"));
        Assert.Equal("QUIT", await AskAsync(greeted, "QUIT"));
    }

    /// <summary>Each reply comes byte by byte, so that it is cut wherever it can be.</summary>
    [Theory]
    [InlineData("a reply\n", false)]
    [InlineData("a reply\r\n", false)]
    [InlineData("a reply\r\r\n", false)]
    [InlineData("a \r reply\0\0\0", false)]
    [InlineData("\0\0\0a reply\r\n", false)]
    [InlineData("\n", false)]
    [InlineData("\r\n", false)]
    [InlineData("a", true)]
    [InlineData("a\r", true)]
    [InlineData("a reply", true)]
    [InlineData("a reply\r", true)]
    [InlineData("\0\0a reply", true)]
    [InlineData("\r\r\r\r", true)]
    public async Task A_reply_in_pieces_is_the_same_reply(string reply, bool closes)
    {
        await using ScriptedServer server = new(async (socket, _) =>
        {
            socket.NoDelay = true;
            while (await ScriptedServer.ReadLineAsync(socket) is not null)
            {
                foreach (byte part in Encoding.UTF8.GetBytes(reply))
                {
                    await socket.SendAsync((byte[])[part]);
                }

                if (closes)
                {
                    return;
                }
            }
        });
        foreach (bool keeps in new[] { false, true })
        {
            MessageClientOptions options = new() { KeepsCarriageReturn = keeps };
            using StreamClient whole = await StreamClient.ConnectAsync(server.Endpoint, options, CancellationToken.None);
            using StreamClient inPieces = await StreamClient.ConnectAsync(server.Endpoint, options, CancellationToken.None);
            byte[] expected = await whole.AskAsync("?"u8.ToArray(), _long, CancellationToken.None);
            List<byte> came = [];
            byte[] last = await inPieces.AskAsync("?"u8.ToArray(), AddTo(came), _long, CancellationToken.None);
            Assert.Equal(expected, came.Concat(last));
        }
    }

    [Fact]
    public async Task A_reply_in_pieces_may_be_longer_than_what_is_held_and_the_next_one_is_in_step()
    {
        const int Length = 3_000_000;
        await using ScriptedServer server = new(static async (socket, _) =>
        {
            while (await ScriptedServer.ReadLineAsync(socket) is { } line)
            {
                await socket.SendAsync((byte[])[.. Enumerable.Repeat(line[0], Length), (byte)'\n']);
            }
        });
        MessageClientOptions options = new() { MaxAnswerBytes = 100_000 };
        using StreamClient client = await StreamClient.ConnectAsync(server.Endpoint, options, CancellationToken.None);
        foreach (char letter in "abc")
        {
            List<byte> came = [];
            byte[] last = await client.AskAsync(new[] { (byte)letter }, AddTo(came), _long, CancellationToken.None);
            Assert.InRange(last.Length, 0, options.MaxAnswerBytes);
            Assert.Equal(Enumerable.Repeat((byte)letter, Length), came.Concat(last));
        }

        Assert.Equal(1, server.Accepted);
        NetworkException tooLong = await Assert.ThrowsAsync<NetworkException>(() => AskAsync(client, "whole"));
        Assert.Contains("no end after 100000 bytes", tooLong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_came_of_a_reply_is_handed_on_when_the_rest_does_not_come(bool isReset)
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = new(async (socket, _) =>
        {
            await ScriptedServer.ReadLineAsync(socket);
            await socket.SendAsync("half a reply"u8.ToArray());
            await begun.Task;
            if (isReset)
            {
                socket.Close(timeout: 0);
                return;
            }

            await ScriptedServer.ReadLineAsync(socket);
        });
        using StreamClient client = await ConnectAsync(server);
        List<byte> came = [];
        NetworkException failure = await Assert.ThrowsAnyAsync<NetworkException>(() => client.AskAsync(
            "?"u8.ToArray(),
            (piece, _) =>
            {
                came.AddRange(piece.Span);
                begun.TrySetResult();
                return ValueTask.CompletedTask;
            },
            isReset ? _long : TimeSpan.FromSeconds(1),
            CancellationToken.None));
        IEnumerable<byte> rest = failure is IncompleteReplyException incomplete ? incomplete.Reply : [];
        Assert.Equal(!isReset, failure is IncompleteReplyException);
        Assert.Equal("half a reply", Encoding.UTF8.GetString([.. came, .. rest]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_question_ends_with_whoever_takes_its_pieces(bool fails)
    {
        await using ScriptedServer server = new(static async (socket, _) =>
        {
            await ScriptedServer.ReadLineAsync(socket);
            while (true)
            {
                await socket.SendAsync(new byte[] { 1, 2, 3, 4 });
            }
        });
        using StreamClient client = await ConnectAsync(server);
        bool isUnderWay = false;
        Task asking = client.AskAsync("?"u8.ToArray(), TakeAsync, TimeSpan.FromMilliseconds(300), CancellationToken.None);
        if (fails)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => asking);
        }
        else
        {
            IncompleteReplyException late = await Assert.ThrowsAsync<IncompleteReplyException>(() => asking);
            Assert.Contains("within 0.3 s", late.Message, StringComparison.Ordinal);
        }

        Assert.False(isUnderWay);
        async ValueTask TakeAsync(ReadOnlyMemory<byte> piece, CancellationToken limit)
        {
            isUnderWay = true;
            try
            {
                await (fails ? throw new InvalidDataException() : Task.Delay(Timeout.Infinite, limit));
            }
            finally
            {
                isUnderWay = false;
            }
        }
    }

    [Fact]
    public async Task A_server_of_one_line_a_connection_is_asked_any_number_of_times()
    {
        await using ScriptedServer server = new(static async (socket, _) =>
        {
            byte[] line = (await ScriptedServer.ReadLineAsync(socket))!;
            await socket.SendAsync(line.AsMemory(..^1));
        });
        using StreamClient client = await ConnectAsync(server);
        foreach (string question in new[] { "one", "two", "three" })
        {
            Assert.Equal(question, await AskAsync(client, question));
        }

        Assert.Equal(3, server.Accepted);
    }

    [Fact]
    public async Task A_tail_of_nuls_belongs_to_no_reply_whenever_it_comes()
    {
        await using ScriptedServer server = new(static async (socket, _) =>
        {
            while (await ScriptedServer.ReadLineAsync(socket) is { } line)
            {
                await socket.SendAsync((byte[])[.. line, 0, 0, 0]);
                await socket.SendAsync(new byte[100]);
            }
        });
        using StreamClient client = await ConnectAsync(server);
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal($"question {i}", await AskAsync(client, $"question {i}"));
        }

        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task A_long_line_is_answered_while_it_is_being_sent_and_the_rest_is_not_taken_for_another()
    {
        byte[] large = [.. Enumerable.Repeat((byte)'x', 8_000_000)];
        await using ScriptedServer server = new(static async (socket, number) =>
        {
            if (number == 1)
            {
                await socket.ReceiveAsync(new byte[1000]);
                await socket.SendAsync("too long\n"u8.ToArray());
            }

            // It takes the rest for another line, and answers that too.
            await EchoAsync(socket, number);
        });
        using StreamClient client = await ConnectAsync(server);
        Assert.Equal("too long", Encoding.UTF8.GetString(await client.AskAsync(large, _long, CancellationToken.None)));
        Assert.Equal("short", await AskAsync(client, "short"));
    }

    [Fact]
    public async Task What_would_be_several_questions_is_refused()
    {
        await using ScriptedServer server = new(EchoAsync);
        using StreamClient client = await ConnectAsync(server);
        await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(client, "a\nb"));
        await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(client, "a\0b"));
        Assert.Equal("ab", await AskAsync(client, "ab"));
    }

    private static async Task EchoAsync(Socket socket, int number)
    {
        while (await ScriptedServer.ReadLineAsync(socket) is { } line)
        {
            await socket.SendAsync(line);
        }
    }

    private static Task<StreamClient> ConnectAsync(ScriptedServer server) =>
        StreamClient.ConnectAsync(server.Endpoint, _long, TestContext.Current.CancellationToken);

    private static async Task<string> AskAsync(StreamClient client, string line) =>
        Encoding.UTF8.GetString(await client.AskAsync(Encoding.UTF8.GetBytes(line), _long, CancellationToken.None));

    private static Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> AddTo(List<byte> came) => (piece, _) =>
    {
        came.AddRange(piece.Span);
        return ValueTask.CompletedTask;
    };
}
