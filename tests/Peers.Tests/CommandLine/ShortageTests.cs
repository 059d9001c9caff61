using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Out of descriptors, threads or processes: no spin, no lost listener, a line a second at most, well again by itself.</summary>
public sealed class ShortageTests
{
    private const int Descriptors = 100;
    private const int TooMany = 150;

    public static TheoryData<string> Models => ["thread", "async", "loop", "process"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Without_descriptors_the_rest_waits_and_is_served_when_there_are_some_again(string model)
    {
        using Program server = Program.Start(
            "prlimit", $"--nofile={Descriptors}:{Descriptors}", Doorbells.File("native"), "serve", "tcp://127.0.0.1:0", "--model", model);
        string line = server.WaitForLine("serving ");
        Endpoint endpoint = Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]);
        List<Socket> clients = [.. Enumerable.Range(0, TooMany).Select(_ => Connect(endpoint))];
        clients.ForEach(static client => client.Send("hello\n"u8));
        long began = Environment.TickCount64;
        long before = TicksOf(server.Id);
        server.WaitForErrors("EMFILE", 3);
        Assert.InRange(TicksOf(server.Id) - before, 0, 100 + ((Environment.TickCount64 - began) / 20));

        // Whoever is served leaves and so lets the next one in.
        foreach (Socket client in clients)
        {
            byte[] answer = new byte[6];
            for (int got = 0; got < answer.Length;)
            {
                int more = client.Receive(answer.AsSpan(got));
                Assert.NotEqual(0, more);
                got += more;
            }

            Assert.Equal("HELLO\n"u8.ToArray(), answer);
            client.Dispose();
        }

        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        int said = ended.Error.Split('\n').Count(static line => line.Contains("EMFILE", StringComparison.Ordinal));
        Assert.InRange(said, 3, 3 + ((Environment.TickCount64 - began) / 1000));
    }

    /// <summary>What a lane can't serve without is taken before the server says that it serves.</summary>
    [Theory]
    [InlineData("pool")]
    [InlineData("loop")]
    public void Lanes_without_descriptors_are_found_out_at_the_start(string model)
    {
        Ended ended = Program.Run(
            "prlimit", ["--nofile=60:60", Doorbells.File("native"), "serve", "tcp://127.0.0.1:0", "--model", model, "--workers", "90"]);
        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        string last = ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("doorbell: ", last, StringComparison.Ordinal);
        Assert.Contains("EMFILE", last, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--model", "thread")]
    [InlineData("--shell", "echo HELLO; read until the client is gone")]
    public void Without_threads_or_processes_a_connection_waits_for_one(string option, string value)
    {
        // Root's processes are not counted (RLIMIT_NPROC, setrlimit(2)): so another user's.
        using Program server = Program.Start(
            "setpriv", "--reuid=65534", "--clear-groups", "prlimit", "--nproc=40:40",
            Doorbells.File("native"), "serve", "tcp://127.0.0.1:0", option, value);
        string line = server.WaitForLine("serving ");
        Endpoint endpoint = Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]);
        List<Socket> clients = [.. Enumerable.Range(0, 60).Select(_ => Connect(endpoint))];
        clients.ForEach(static client => client.Send("hello\n"u8));
        server.WaitForErrors("tried again", 1, orElse: "no thread");
        foreach (Socket client in clients)
        {
            byte[] answer = new byte[6];
            for (int got = 0; got < answer.Length;)
            {
                int more = client.Receive(answer.AsSpan(got));
                Assert.NotEqual(0, more);
                got += more;
            }

            client.Dispose();
        }

        server.Signal("TERM");
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    private static Socket Connect(Endpoint endpoint)
    {
        Socket client = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(IPAddress.Loopback, endpoint.Port);
        return client;
    }

    /// <summary>User and system time of a process, in ticks of 10 ms.</summary>
    internal static long TicksOf(int process)
    {
        string stat = File.ReadAllText($"/proc/{process}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], System.Globalization.CultureInfo.InvariantCulture)
            + long.Parse(fields[12], System.Globalization.CultureInfo.InvariantCulture);
    }
}
