using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A server serves under a limit of addresses or of memory, and its budget for what waits follows from the limit.</summary>
public sealed class MemoryLimitTests
{
    private const int Addresses = 400 * 1024 * 1024;

    [Theory]
    [InlineData("loop")]
    [InlineData("async")]
    [InlineData("thread")]
    [InlineData("pool")]
    [InlineData("prefork")]
    public void Under_a_limit_of_addresses_it_serves_many_at_once(string model)
    {
        using Program server = Program.Start(
            "prlimit", $"--as={Addresses}", Doorbells.File("native"), "serve", "tcp://127.0.0.1:0", "--model", model);
        string line = server.WaitForLine("serving ");
        int port = int.Parse(line[(line.LastIndexOf(':') + 1)..]);
        server.WaitForLine("at most 25m of memory");
        Socket[] clients = [.. Enumerable.Range(0, model is "pool" or "prefork" ? 8 : 200).Select(_ => Connect(port))];
        byte[] answer = new byte[6];
        foreach (Socket client in clients)
        {
            client.Send("hello\n"u8);
            for (int received = 0; received < answer.Length;)
            {
                received += client.Receive(answer.AsSpan(received)) is > 0 and var more ? more : throw new EndOfStreamException();
            }

            Assert.Equal("HELLO\n"u8, answer);
        }

        Array.ForEach(clients, static client => client.Dispose());
        server.Signal("TERM");
        Assert.Equal((0, ""), (server.WaitForEnd().ExitCode, server.Error));
    }

    [Theory]
    [InlineData("serve", "tcp://127.0.0.1:0")]
    [InlineData("ask", "hello")]
    public void With_too_few_addresses_to_begin_it_says_so_in_a_line(params string[] words)
    {
        Ended ended = Program.Run("prlimit", [$"--as={105 * 1024 * 1024}", Doorbells.File("native"), .. words]);
        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith("doorbell: start: of the 105 MiB of addresses that this process may ", ended.Error, StringComparison.Ordinal);
        Assert.Contains("(RLIMIT_AS), ", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>The collector's hard limit is what it makes of a container's.</summary>
    [Theory]
    [InlineData("prlimit", "--data=209715200", "")]
    [InlineData("env", "DOTNET_GCHeapHardLimit=C800000", "")]
    [InlineData("env", "DOTNET_GCHeapHardLimit=C800000", "--max-buffered=3m")]
    public void The_budget_is_an_eighth_of_what_is_allowed_unless_it_is_given(string program, string limit, string option)
    {
        string[] more = option.Length > 0 ? [option] : [];
        using Program server = Program.Start(program, [limit, Doorbells.File("native"), "serve", "tcp://127.0.0.1:0", .. more]);
        server.WaitForLine(option.Length > 0 ? "at most 3m of memory" : "at most 25m of memory");
        server.Signal("TERM");
        server.WaitForEnd();
    }

    private static Socket Connect(int port)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        client.Connect(IPAddress.Loopback, port);
        return client;
    }
}
