namespace Doorbell.Tests;

/// <summary>Twenty restarts under load, by every way there is to hand the listening sockets on: no request may fail.</summary>
public sealed class RestartTests
{
    private static readonly string _script = Path.Combine(Repository.Root, "tests", "peers", "python", "restarts.py");

    public static TheoryData<string, string> Ways =>
        new MatrixTheoryData<string, string>(
            ["takeover", "passed", "activated"], ["async", "pool", "loop", "loop --engine epoll", "prefork"]);

    [Theory]
    [MemberData(nameof(Ways))]
    public void No_request_fails_across_restarts(string way, string model)
    {
        Ended load = Program.Run("python3", [_script, way, Doorbells.File("native"), "--model", .. model.Split(' ')]);
        Assert.True(load.ExitCode == 0, load.Output + load.Error);
        Assert.Matches(@"^[1-9]\d{3,} requests, 0 failures", load.Output);
    }

    [Theory]
    [InlineData("async")]
    [InlineData("loop")]
    public void Nor_when_two_share_the_port_and_the_kernel_moves_the_backlog(string model)
    {
        const string InNamespace = "ip link set lo up && sysctl -qw net.ipv4.tcp_migrate_req=1 && exec \"$@\"";
        Ended load = Program.Run(
            "unshare",
            ["--net", "--map-root-user", "sh", "-c", InNamespace, "sh", "python3", _script, "reuse-port", Doorbells.File("native"),
                "--model", model]);
        Assert.True(load.ExitCode == 0, load.Output + load.Error);
        Assert.Matches(@"^[1-9]\d{3,} requests, 0 failures", load.Output);
    }

    [Fact]
    public void Systemd_starts_it_with_the_first_connection()
    {
        int port = Ports.Free("tcp");
        using Program manager = Program.Start(
            "systemd-socket-activate", "--listen", $"127.0.0.1:{port}", "--fdname", "web", Doorbells.File("native"), "serve", "fd://web");
        Ports.WaitUntilServed("tcp", port);
        Assert.Equal("FROM SERVER: WOKEN\n", Doorbells.Run("native", "", "ask", $"tcp://127.0.0.1:{port}", "woken").Output);
        Assert.Contains($"serving capitalize on tcp://127.0.0.1:{port}", manager.WaitForLine("serving "), StringComparison.Ordinal);
        manager.Signal("TERM");
        Assert.Equal(0, manager.WaitForEnd().ExitCode);
    }

    /// <summary>Many times: a server that has nothing to drain may be gone before it has told.</summary>
    [Fact]
    public void The_service_manager_is_told_when_it_serves_and_when_it_stops()
    {
        const int Times = 40;
        for (int i = 0; i < Times; i++)
        {
            string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            using System.Net.Sockets.Socket manager = new(
                System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Unspecified);
            manager.ReceiveTimeout = 20_000;
            manager.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
            using Program server = Program.Start("env", $"NOTIFY_SOCKET={path}", Doorbells.File("native"), "serve", "tcp://127.0.0.1:0");
            byte[] told = new byte[200];
            Assert.Equal($"READY=1\nMAINPID={server.Id}", System.Text.Encoding.ASCII.GetString(told, 0, manager.Receive(told)));
            server.Signal("TERM");
            Assert.Equal(0, server.WaitForEnd().ExitCode);
            Assert.True(manager.Available > 0, $"it was not told at stop {i + 1}");
            Assert.Equal("STOPPING=1", System.Text.Encoding.ASCII.GetString(told, 0, manager.Receive(told)));
            File.Delete(path);
        }
    }

    /// <summary>A path is bytes (unix(7)); an abstract name is written with an at sign (sd_notify(3)).</summary>
    [Theory]
    [InlineData("path", "/tmp/notify-%d-\\xff")]
    [InlineData("abstract", "@notify-%d-\\xff")]
    public void The_service_manager_s_socket_may_have_any_name(string kind, string name)
    {
        const string Manager = """
            import os, socket, subprocess, sys
            name = sys.argv[2].encode().replace(b"\\xff", b"\xff") % os.getpid()
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            manager.settimeout(60)
            manager.bind(name.replace(b"@", b"\0"))
            server = subprocess.Popen([sys.argv[1], "serve", "tcp://127.0.0.1:0"], env={b"NOTIFY_SOCKET": name}, stdout=subprocess.DEVNULL)
            print(f"told {manager.recv(200)}", flush=True)
            server.terminate()
            server.wait()
            print(f"told {manager.recv(200)}", flush=True)
            if sys.argv[2][0] == "/":
                os.remove(name)
            """;
        using Program manager = Program.Start("python3", "-c", Manager, Doorbells.File("native"), name);
        Ended ended = manager.WaitForEnd();
        Assert.True(ended.ExitCode == 0, $"{kind}: {ended.Error}");
        Assert.Contains("told b'READY=1", ended.Output, StringComparison.Ordinal);
        Assert.Contains("told b'STOPPING=1", ended.Output, StringComparison.Ordinal);
    }

    /// <summary>A signal that comes while the last lines are written is heard too, and does not end the process by itself.</summary>
    [Theory]
    [InlineData("SIGTERM")]
    [InlineData("SIGINT")]
    public void Signals_without_end_do_not_change_the_exit_code(string signal)
    {
        const string Impatient = """
            import signal, subprocess, sys, time
            for i in range(15):
                server = subprocess.Popen([sys.argv[1], "serve", "tcp://127.0.0.1:0"], stdout=subprocess.PIPE)
                server.stdout.readline()
                while server.poll() is None:
                    server.send_signal(getattr(signal, sys.argv[2]))
                    time.sleep(0.0005)
                print(server.returncode, flush=True)
            """;
        using Program impatient = Program.Start("python3", "-c", Impatient, Doorbells.File("native"), signal);
        Ended ended = impatient.WaitForEnd();
        Assert.Equal(string.Concat(Enumerable.Repeat("0\n", 15)), ended.Output);
    }
}
