using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Any program as a service: what reaches it, what reaches its client, and how it ends.</summary>
[Collection("measures this process")]
public sealed class ProgramTests
{
    public static TheoryData<string> Streams => ["tcp", "unix"];

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_client_that_half_closes_gets_all_that_the_program_still_writes(string transport)
    {
        const int megabytes = 8;
        string late = $"cat > /dev/null; head -c {megabytes * 1024 * 1024} /dev/zero | tr '\\0' x";
        await using Running server = await StartAsync(late, transport);
        using Peer peer = server.Connect();
        peer.Send("the whole question");
        peer.HalfClose();
        Assert.Equal(new string('x', megabytes * 1024 * 1024), peer.ReceiveToEnd());
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_program_that_reads_nothing_is_heard_whole(string transport)
    {
        await using Running server = await StartAsync("head -c 1000000 /dev/zero | tr '\\0' y", transport);
        using Peer peer = server.Connect();
        peer.Send(new byte[50_000]);
        Assert.Equal(new string('y', 1_000_000), peer.ReceiveToEnd());
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task One_clients_end_is_nobody_elses(string transport)
    {
        await using Running server = await StartAsync("cat", transport);
        using Peer first = server.Connect();
        using Peer second = server.Connect();
        Assert.Equal("one\n", first.Ask("one\n"));
        Assert.Equal("two\n", second.Ask("two\n"));
        first.Reset();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 1, "the first is over");
        Assert.Equal("still\n", second.Ask("still\n"));
        second.HalfClose();
        Assert.Equal("", second.ReceiveToEnd());
    }

    [Fact]
    public async Task Nothing_but_its_own_reaches_a_program()
    {
        const string Look = "ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2; "
            + "[ $(ps -o pgid= -p $$) = $$ ] && echo own group; env | grep -c DOORBELL";
        await using Running server = await StartAsync(Look, "tcp");
        using Peer peer = server.Connect();

        // 0, 1, 2, and the one that ls reads the folder with.
        Assert.Equal("4\n0000000000000000\n0000000000000000\nown group\n0\n", peer.ReceiveToEnd());
    }

    [Fact]
    public async Task Its_environment_names_the_connection_as_ucspi_and_as_ncat_do()
    {
        const string Tell = "echo $PROTO $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT; "
            + "echo $NCAT_PROTO $NCAT_REMOTE_ADDR $NCAT_REMOTE_PORT $NCAT_LOCAL_ADDR $NCAT_LOCAL_PORT";
        await using Running server = await StartAsync(Tell, "tcp");
        using Peer peer = server.Connect();
        string line = $"TCP 127.0.0.1 {((IPEndPoint)peer.Socket.LocalEndPoint!).Port} 127.0.0.1 {server.Endpoint.Port}\n";
        Assert.Equal(line + line, peer.ReceiveToEnd());
    }

    [Fact]
    public async Task On_a_wildcard_it_is_told_the_address_that_was_asked()
    {
        ServiceProgram program = ServiceProgram.Shell("echo $TCPLOCALIP $NCAT_LOCAL_ADDR");
        await using Running server = await Running.StartAsync(
            Service.Run("shell", program),
            change: static options => options with { Endpoints = [Endpoint.Parse("tcp://0.0.0.0:0")] });
        foreach (string asked in (string[])["127.0.0.1", "127.0.0.2"])
        {
            using Peer peer = new(Endpoint.Parse($"tcp://{asked}:{server.Endpoint.Port}"));
            Assert.Equal($"{asked} {asked}\n", peer.ReceiveToEnd());
        }
    }

    [Fact]
    public async Task A_program_that_ignores_SIGTERM_is_killed_with_its_children_when_its_client_is_gone()
    {
        await using Running server = await StartAsync("trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000", "tcp", graceMilliseconds: 50);
        using Peer peer = server.Connect();
        int sleeper = int.Parse(peer.Receive(1) + ReceiveLine(peer), System.Globalization.CultureInfo.InvariantCulture);
        peer.Reset();
        Peer.Eventually(() => !Directory.Exists($"/proc/{sleeper}"), "its child is gone");
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "the connection is closed");
    }

    [Fact]
    public async Task What_a_program_leaves_behind_serves_on_until_it_ends()
    {
        await using Running server = await StartAsync("(sleep 0.3; echo later) & echo now", "tcp");
        using Peer peer = server.Connect();
        Assert.Equal("now\nlater\n", peer.ReceiveToEnd());
    }

    [Fact]
    public async Task A_killed_program_closes_its_connection_and_is_counted()
    {
        await using Running server = await StartAsync("echo here; kill -9 $$", "tcp");
        using Peer peer = server.Connect();
        Assert.Equal("here\n", peer.ReceiveToEnd());
        peer.Dispose();
        Peer.Eventually(() => server.Counts is { ConnectionsOpen: 0, ProcessesLost: 1 }, "it is counted");
        Assert.Equal(1, server.Counts.Closed(CloseReason.ProcessDied));
    }

    [Fact]
    public async Task An_idle_client_and_one_past_its_time_are_let_go()
    {
        Service cat = Service.Run("cat", ServiceProgram.Shell("cat"));
        StreamLimits idle = StreamLimits.Default with { IdleTimeout = TimeSpan.FromMilliseconds(300) };
        StreamLimits old = StreamLimits.Default with { MaxLifetime = TimeSpan.FromMilliseconds(300) };
        (StreamLimits, CloseReason)[] ends = [(idle, CloseReason.IdleTimeout), (old, CloseReason.LifetimeExceeded)];
        foreach ((StreamLimits limits, CloseReason reason) in ends)
        {
            await using Running server = await Running.StartAsync(cat with { StreamLimits = limits });
            using Peer peer = server.Connect();
            Assert.Equal("a\n", peer.Ask("a\n"));
            Assert.Equal("", peer.ReceiveToEnd());
            peer.Dispose();
            Peer.Eventually(() => server.Counts.Closed(reason) == 1, $"{reason} is counted");
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_drain_lets_programs_finish_and_tells_idle_ones_the_end(string transport)
    {
        await using Running server = await StartAsync("while read line; do sleep 0.2; echo \"$line!\"; done; echo bye", transport);
        using Peer idle = server.Connect();
        using Peer busy = server.Connect();
        Assert.Equal("a!\n", idle.Ask("a\n") + idle.Receive(1));
        busy.Send("b\nc\nd\n");
        Assert.Equal("b!\n", busy.Receive(3));
        Task drained = server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("c!\nd!\nbye\n", busy.ReceiveToEnd());
        Assert.Equal("bye\n", idle.ReceiveToEnd());
        busy.Dispose();
        idle.Dispose();
        await drained;
        Assert.Equal(2, server.Counts.Closed(CloseReason.Completed));
    }

    [Fact]
    public async Task At_the_drains_deadline_programs_are_killed()
    {
        await using Running server = await StartAsync("trap '' TERM; echo here; while :; do sleep 1; done", "tcp");
        using Peer peer = server.Connect();
        Assert.Equal("here\n", peer.Receive(5));
        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, server.Counts.Closed(CloseReason.DrainDeadline));
    }

    [Theory]
    [InlineData("/no/such/program", "ENOENT")]
    [InlineData("nosuchprogram", "ENOENT")]
    [InlineData("/etc/passwd", "EACCES")]
    public async Task A_program_that_is_not_there_is_told_at_the_start(string file, string error)
    {
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(Service.Run("x", new ServiceProgram(file, [])), "tcp://127.0.0.1:0"));
        Assert.Contains(error, failure.Message, StringComparison.Ordinal);
        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> NotExecutable => new()
    {
        { "echo no interpreter\n", "ENOEXEC" },
        { "", "ENOEXEC" },
        { "#!\n", "ENOEXEC" },
        { "#!/no/such/interpreter\n", "/no/such/interpreter" },
        { "#! /bin/sh\r\necho\r\n", "CR LF" },
        { "#!/etc/passwd\n", "EACCES" },
        { "\x7f" + "ELF", "ENOEXEC" },
    };

    [Theory]
    [MemberData(nameof(NotExecutable))]
    public async Task A_file_that_can_not_be_executed_is_told_at_the_start(string text, string says)
    {
        string file = MakeExecutable(text);
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(Service.Run("x", new ServiceProgram(file, [])), "tcp://127.0.0.1:0"));
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
        File.Delete(file);
    }

    [Fact]
    public async Task A_folder_is_no_program()
    {
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(Service.Run("x", new ServiceProgram("/usr", [])), "tcp://127.0.0.1:0"));
        Assert.Contains("/usr", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_program_that_can_not_be_executed_any_more_closes_each_connection_and_is_told_once(string transport)
    {
        string file = MakeExecutable("#!/bin/sh\necho well\n");
        using LogRecords log = new();
        await using Running server = await Running.StartAsync(
            Service.Run("x", new ServiceProgram(file, [])), transport, change: options => options with { Logging = log });
        using (Peer before = server.Connect())
        {
            Assert.Equal("well\n", before.ReceiveToEnd());
        }

        File.WriteAllText(file, "echo no interpreter\n");
        for (int i = 0; i < 3; i++)
        {
            using Peer peer = server.Connect();
            Assert.Equal("", peer.ReceiveToEnd());
        }

        Peer.Eventually(
            () => server.Counts is { ConnectionsOpened: 4, ConnectionsOpen: 0, ProcessesLost: 3, Errors: 3 }, "all are counted");
        Assert.Single(log.Lines, static line => line.Contains("ENOEXEC", StringComparison.Ordinal));
        File.WriteAllText(file, "#!/bin/sh\necho again\n");
        using Peer after = server.Connect();
        Assert.Equal("again\n", after.ReceiveToEnd());
        File.Delete(file);
    }

    [Fact]
    public async Task A_datagrams_program_that_can_not_be_executed_any_more_is_told_once_and_holds_nothing_up()
    {
        string file = MakeExecutable("#!/bin/sh\necho well\n");
        using LogRecords log = new();
        await using Running server = await Running.StartAsync(
            Service.Run("x", new ServiceProgram(file, [])), "udp", change: options => options with { Logging = log });
        File.WriteAllText(file, "echo no interpreter\n");
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        socket.Connect(IPAddress.Loopback, server.Endpoint.Port);
        for (int i = 0; i < 20; i++)
        {
            socket.Send("?"u8);
        }

        Peer.Eventually(() => server.Counts is { DatagramsReceived: 20, ProcessesLost: 20 }, "each is counted");
        Assert.Single(log.Lines, static line => line.Contains("ENOEXEC", StringComparison.Ordinal));
        File.Delete(file);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(255, 0)]
    public async Task An_exit_code_of_a_datagrams_program_is_no_loss(int code, int lost)
    {
        await using Running server = await StartAsync($"cat; exit {code}", "udp");
        DatagramAnswer answer = await AskAsync(server, "asked");
        Assert.Equal("asked", Encoding.UTF8.GetString(answer.Bytes));
        Peer.Eventually(() => server.Counts.DatagramsSent == 1, "it is counted");
        Assert.Equal((lost, lost), (server.Counts.ProcessesLost, server.Counts.Errors));
    }

    [Theory]
    [InlineData("udp")]
    [InlineData("unix+dgram")]
    public async Task A_datagram_is_a_programs_input_and_its_output_the_answer(string transport)
    {
        await using Running server = await StartAsync("tr a-z A-Z", transport);
        DatagramAnswer answer = await AskAsync(server, new string('q', 30_000));
        Assert.Equal(new string('Q', 30_000), Encoding.UTF8.GetString(answer.Bytes));
    }

    [Fact]
    public async Task A_datagrams_program_that_says_nothing_too_much_or_never_ends_gives_no_answer()
    {
        const string Odd = "read what; case $what in nothing) ;; much) head -c 70000 /dev/zero;; ever) sleep 1000;; *) echo ok;; esac";
        Service service = Service.Run("odd", ServiceProgram.Shell(Odd) with { DatagramTimeout = TimeSpan.FromMilliseconds(300) });
        await using Running server = await Running.StartAsync(service, "udp");
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        socket.Connect(IPAddress.Loopback, server.Endpoint.Port);
        foreach (string what in new[] { "nothing\n", "much\n", "ever\n" })
        {
            socket.Send(Encoding.ASCII.GetBytes(what));
        }

        Peer.Eventually(() => server.Counts is { DatagramsReceived: 3, ProcessesLost: 1 } counts
            && counts.Dropped(DatagramDrop.AnswerTooLarge) == 1, "each is counted");
        socket.Send("well\n"u8);
        byte[] answer = new byte[100];
        Assert.Equal("ok\n", Encoding.ASCII.GetString(answer, 0, socket.Receive(answer)));
        Peer.Eventually(() => server.Counts.DatagramsSent == 1, "it is counted");
    }

    [Fact]
    public async Task Ten_thousand_connections_leave_no_process_and_no_descriptor()
    {
        int[] others = ChildProcesses.All();
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        Running server = await Running.StartAsync(Service.Run("true", new ServiceProgram("/bin/true", [])));
        int[] watcher = [.. ChildProcesses.All().Except(others)];
        Assert.Single(watcher);
        for (int i = 0; i < 10_000; i++)
        {
            using Peer peer = server.Connect();
            if (i % 2 == 0)
            {
                peer.Reset();
            }
        }

        Peer.Eventually(() => server.Counts is { ConnectionsOpened: 10_000, ConnectionsOpen: 0 }, "all are over");
        Assert.Equal(watcher, ChildProcesses.All().Except(others));

        // The pipes for standard error are kept for the next program, those of sockets numbered below 256.
        Assert.InRange(Directory.GetFileSystemEntries("/proc/self/fd").Length, 0, before + 256);
        await server.DisposeAsync();
        Assert.InRange(Directory.GetFileSystemEntries("/proc/self/fd").Length, 0, before + 5);
        Assert.Empty(ChildProcesses.All().Except(others));
    }

    private static string MakeExecutable(string text)
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(file, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return file;
    }

    private static Task<Running> StartAsync(string command, string transport, int graceMilliseconds = 5000)
    {
        ServiceProgram program = ServiceProgram.Shell(command) with { Grace = TimeSpan.FromMilliseconds(graceMilliseconds) };
        return Running.StartAsync(Service.Run("shell", program), transport);
    }

    private static Task<DatagramAnswer> AskAsync(Running server, string question) => DatagramClient.AskAsync(
        server.Endpoint, Encoding.UTF8.GetBytes(question), TimeSpan.FromSeconds(20), RetrySchedule.Default, CancellationToken.None);

    private static string ReceiveLine(Peer peer)
    {
        StringBuilder line = new();
        while (peer.Receive(1) is var next && next != "\n")
        {
            line.Append(next);
        }

        return line.ToString();
    }
}
