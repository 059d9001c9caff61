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
}
