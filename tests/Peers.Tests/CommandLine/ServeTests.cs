using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell serve</c> as a user runs it.</summary>
public sealed class ServeTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Several_doors_of_all_kinds_are_served_by_one_process(string kind)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using Program server = Doorbells.Start(
            kind, "serve", "tcp://localhost:0", "udp://127.0.0.1:0", $"unix://{path}", $"unix+dgram://{path}d");
        List<string> doors = [.. Enumerable.Range(0, 5).Select(_ => server.WaitForLine("serving capitalize on ").Split(' ')[^1])];
        server.WaitForLine("reachable from this machine only");
        foreach (string door in doors)
        {
            Assert.Equal(new Ended(0, "FROM SERVER: HELLO\n", ""), Doorbells.Run(kind, "", "ask", door, "hello"));
        }

        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("served 3 connections, 5 requests, 2 datagrams, 28 bytes in, 28 bytes out, 0 errors", ended.Output,
            StringComparison.Ordinal);
        Assert.False(File.Exists(path));
        Assert.False(File.Exists(path + "d"));
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public void Of_several_servers_that_start_at_one_path_at_once_one_serves(string scheme)
    {
        for (int round = 0; round < 5; round++)
        {
            string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            using Program dead = Doorbells.Start("native", "serve", $"{scheme}://{path}");
            dead.WaitForLine("serving ");
            dead.Signal("KILL");
            dead.WaitForEnd();

            // Each says on its standard output that it serves, or on the other why not: either is its first line.
            Program[] all = [.. Enumerable.Range(0, 6).Select(_ => Program.Start(
                "sh", "-c", "exec \"$0\" serve \"$1\" 2>&1", Doorbells.File("native"), $"{scheme}://{path}"))];
            string[] first = [.. all.Select(static server => server.WaitForLine(""))];
            Assert.Single(first, static line => line.StartsWith("serving ", StringComparison.Ordinal));
            Assert.Equal(5, first.Count(static line => line.Contains("EADDRINUSE", StringComparison.Ordinal)));
            Array.ForEach(all, static server => server.Dispose());
            File.Delete(path);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Events_can_be_read_as_json(string kind)
    {
        using Program server = Doorbells.Start(kind, "serve", "echo", "tcp://*:0", "--json");
        JsonElement listening = JsonDocument.Parse(server.WaitForLine("listening")).RootElement;
        Assert.Equal("echo", listening.GetProperty("service").GetString());
        Assert.Equal("every-interface", listening.GetProperty("reach").GetString());
        server.Signal("INT");
        JsonElement summary = JsonDocument.Parse(server.WaitForLine("summary")).RootElement;
        Assert.Equal(0, summary.GetProperty("connections").GetInt64());
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_signal_lets_what_is_in_flight_be_answered_and_a_second_stops_now(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0", "--drain", "60");
        using (server)
        {
            using System.Net.Sockets.TcpClient half = new("127.0.0.1", endpoint.Port);
            half.GetStream().Write("half a li"u8);
            using Program patient = Doorbells.Start(kind, "connect", endpoint.ToString());
            patient.Input.Write("first\n"u8);
            patient.Input.Flush();
            patient.WaitForLine("FIRST");
            server.Signal("INT");
            Assert.Equal(0, patient.WaitForEnd().ExitCode);
            half.GetStream().Write("ne\n"u8);
            byte[] answer = new byte[12];
            half.GetStream().ReadExactly(answer);
            Assert.Equal("HALF A LINE\n"u8, answer);
        }

        (server, endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0", "--drain", "60");
        using (server)
        {
            using System.Net.Sockets.TcpClient half = new("127.0.0.1", endpoint.Port);
            half.GetStream().Write("x\nhalf a li"u8);
            half.GetStream().ReadExactly(new byte[2]);
            server.Signal("TERM");
            Ports.WaitUntilGone(endpoint.Port);
            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            Assert.Equal(0, ended.ExitCode);
            Assert.Contains("1 drain deadline", ended.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_services_of_the_rfcs_are_served(string kind)
    {
        Assert.Equal("hello\n", Talk(kind, "echo", "hello\n"));
        Assert.Equal("", Talk(kind, "discard", "hello\n"));
        Assert.Matches(@"^\w+day, \w+ \d+, 20\d\d \d\d:\d\d:\d\d-UTC\r?\n$", Talk(kind, "daytime", ""));
        Assert.Equal("STRAßE\n", Talk(kind, "capitalize", "straße\n", "--ascii"));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void What_goes_wrong_is_one_line_and_the_right_exit_code(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0");
        using (server)
        {
            OneLine(1, $"bind {endpoint}: EADDRINUSE (Address already in use); another program has this address", kind, "serve",
                endpoint.ToString());
        }

        OneLine(1, "bind tcp://192.0.2.1:6789: EADDRNOTAVAIL", kind, "serve", "tcp://192.0.2.1:6789");
        OneLine(1, "resolve tcp://nonexistent.invalid:6789: EAI_", kind, "serve", "tcp://nonexistent.invalid:6789");
        OneLine(2, "\"chargen\" is no service: give one of capitalize, echo", kind, "serve", "chargen");
        OneLine(2, "the scheme must be", kind, "serve", "http://localhost:80");
        OneLine(2, "--ascii belongs to capitalize", kind, "serve", "echo", "--ascii");
        OneLine(2, "--drain takes a time", kind, "serve", "--drain", "soon");
        OneLine(2, "--nonsense", kind, "serve", "tcp://localhost:0", "--nonsense");
        OneLine(2, "", kind, "frobnicate");
        OneLine(2, "", kind);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_log_tells_of_each_connection_and_never_shows_a_peers_bytes_raw(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0", "-v");
        using (server)
        {
            Doorbells.Run(kind, "", "ask", endpoint.ToString(), "\u001b[31mhello");
            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            Assert.Contains("connection from 127.0.0.1:", ended.Error, StringComparison.Ordinal);
            Assert.Contains("ended: Completed", ended.Error, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', ended.Error);
        }
    }

    [Fact]
    public void Out_of_descriptors_a_server_loses_neither_its_listener_nor_its_temper()
    {
        using Program server = Program.Start("prlimit", ["--nofile=48", Doorbells.File("native"), "serve", "tcp://127.0.0.1:0"]);
        Endpoint endpoint = Endpoint.Parse(server.WaitForLine("serving ").Split(' ')[^1]);
        List<System.Net.Sockets.TcpClient> clients = [.. Enumerable.Range(0, 60).Select(_ => new System.Net.Sockets.TcpClient("127.0.0.1",
            endpoint.Port))];
        DateTime until = DateTime.UtcNow.AddSeconds(2.5);
        TimeSpan before = CpuOf(server.Id);
        SpinWait.SpinUntil(() => DateTime.UtcNow > until);
        Assert.InRange((CpuOf(server.Id) - before).TotalSeconds, 0, 0.5);
        clients.ForEach(static client => client.Dispose());
        Assert.Equal("FROM SERVER: AFTER\n", Doorbells.Run("native", "", "ask", endpoint.ToString(), "after").Output);
        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        string[] complaints = [.. ended.Error.Split('\n').Where(static line => line.Contains("EMFILE", StringComparison.Ordinal))];
        Assert.InRange(complaints.Length, 1, 5);
    }

    private static TimeSpan CpuOf(int pid)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }

    private static string Talk(string kind, string service, string input, params string[] options)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, [service, "tcp://127.0.0.1:0", .. options]);
        using (server)
        {
            return Doorbells.Run(kind, input, "connect", endpoint.ToString()).Output;
        }
    }

    private static void OneLine(int code, string part, string kind, params string[] arguments)
    {
        Ended ended = Doorbells.Run(kind, "", arguments);
        Assert.Equal(code, ended.ExitCode);
        Assert.Equal("", ended.Output);
        Assert.StartsWith("doorbell: ", ended.Error, StringComparison.Ordinal);
        Assert.Contains(part, ended.Error, StringComparison.Ordinal);
        Assert.Equal(1, ended.Error.Count(static c => c == '\n'));
    }
}
