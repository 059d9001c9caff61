using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>doorbell relay where an end is a terminal, a serial line, standard input and output, or datagrams.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class RelayEndTests : IDisposable
{
    private const int MegabyteAndSome = 1_100_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-ends-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_terminal_is_relayed_until_its_other_side_closes_and_its_link_is_removed()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        using Program relay = Doorbells.Start("native", "relay", $"pty:{_folder}/tty", endpoint.ToString());
        string path = relay.WaitForLine("terminal ").Split(' ')[1];
        relay.WaitForLine($"relaying pty:{_folder}/tty to {endpoint}");
        Assert.StartsWith("/dev/pts/", path, StringComparison.Ordinal);
        Assert.Equal(path, new FileInfo($"{_folder}/tty").LinkTarget);
        Ended asked = Program.Run("bash", ["-c", $"exec 3<>{_folder}/tty; printf 'hello\\r\\x03\\x04\\n' >&3; head -n 1 <&3 | od -c -An"]);
        Assert.Equal("H E L L O \\r 003 004 \\n", string.Join(' ', asked.Output.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Trim());
        Ended ended = relay.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Assert.Null(new FileInfo($"{_folder}/tty").LinkTarget);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_it_and_removes_the_link(string signal)
    {
        using Listening server = new();
        using Program relay = Doorbells.Start("native", "relay", $"pty:{_folder}/tty", server.Endpoint);
        relay.WaitForLine("relaying ");
        relay.Signal(signal);
        Assert.Equal(0, relay.WaitForEnd().ExitCode);
        Assert.Null(new FileInfo($"{_folder}/tty").LinkTarget);
    }

    /// <summary>The number of its terminal is free again, and the next relay gets it.</summary>
    [Fact]
    public void The_link_of_a_killed_relay_is_replaced()
    {
        using Listening server = new();
        for (int round = 0; round < 3; round++)
        {
            using Program relay = Doorbells.Start("native", "relay", $"pty:{_folder}/tty", server.Endpoint);
            relay.WaitForLine("relaying ");
            relay.Signal("KILL");
            relay.WaitForEnd();
        }
    }

    [Fact]
    public void A_stale_link_is_replaced_and_nothing_else_is()
    {
        using Listening server = new();
        File.CreateSymbolicLink($"{_folder}/stale", "/dev/pts/999999");
        File.WriteAllText($"{_folder}/file", "mine");
        using (Program relay = Doorbells.Start("native", "relay", $"pty:{_folder}/stale", server.Endpoint))
        {
            relay.WaitForLine("relaying ");
            relay.Signal("TERM");
            relay.WaitForEnd();
        }

        Ended refused = Doorbells.Run("native", "", "relay", $"pty:{_folder}/file", server.Endpoint);
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith($"doorbell: symlink pty:{_folder}/file: EEXIST (File exists); ", refused.Error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText($"{_folder}/file"));
    }

    /// <summary>When the server's end closes the terminal, what it has sent is read first.</summary>
    [Fact]
    public void What_the_server_sends_before_its_end_is_read_at_the_terminal()
    {
        using Listening server = new();
        using Program relay = Doorbells.Start("native", "relay", $"pty:{_folder}/tty", server.Endpoint);
        using Socket accepted = server.Accept();
        relay.WaitForLine("relaying ");
        using Program reader = Program.Start("bash", "-c", $"exec 3<>{_folder}/tty; echo open; head -c 2000 <&3 | wc -c");
        reader.WaitForLine("open");
        accepted.Send(new byte[2000]);
        accepted.Close();
        Assert.Equal("open\n2000\n", reader.WaitForEnd().Output);
        Assert.Equal(0, relay.WaitForEnd().ExitCode);
    }

    /// <summary>A cable of two pseudo-terminals between two relays: a slow line slows the sender, and nothing is changed on it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_megabyte_goes_over_a_serial_line_each_way_as_it_is(int seed)
    {
        using Program cable = Cable();
        (Program server, Endpoint echo) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using Program ends = server;
        using Program far = Doorbells.Start("native", "relay", $"serial://{_folder}/far?921600", echo.ToString());
        far.WaitForLine("relaying ");
        (Program near, int port) = Relay("relay", "tcp://127.0.0.1:0", $"serial://{_folder}/near?921600");
        using Program nearEnds = near;
        using Socket client = Connected(port);
        byte[] sent = new byte[MegabyteAndSome];
        new Random(seed).NextBytes(sent);
        Task sending = Task.Run(() => client.Send(sent));
        byte[] received = new byte[sent.Length];
        for (int got = 0; got < received.Length;)
        {
            int count = await client.ReceiveAsync(received.AsMemory(got)).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.NotEqual(0, count);
            got += count;
        }

        await sending;
        Assert.Equal(sent, received);
    }

    [Fact]
    public void A_serial_line_has_the_settings_asked_for_and_then_its_own_again()
    {
        using Program cable = Cable();
        string before = Settings();
        (Program relay, int port) = Relay("relay", "tcp://127.0.0.1:0", $"serial://{_folder}/near?115200,8N2");
        using Program ends = relay;
        using Socket client = Connected(port);
        using Program far = Program.Start("bash", "-c", $"head -n 1 <{_folder}/far");
        client.Send("hello\n"u8);
        Assert.Equal("hello\n", far.WaitForEnd().Output);
        string during = Settings();
        Assert.StartsWith("speed 115200 baud", during, StringComparison.Ordinal);

        // A pseudo-terminal takes no other bits and no parity (pty_set_termios in drivers/tty/pty.c).
        string[] asked = ["cs8", "-parenb", "cstopb", "-icanon", "-echo", "-opost", "-ixon", "clocal"];
        Assert.Empty(asked.Except(during.Split([' ', '\n', ';'])));
        client.Close();
        Waiting.Until(() => Settings() == before, "the settings are the line's own again");
    }

    /// <summary>The second waits in the backlog until the first has ended.</summary>
    [Fact]
    public void A_serial_line_has_one_connection_at_a_time()
    {
        using Program cable = Cable();
        (Program relay, int port) = Relay("relay", "-v", "tcp://127.0.0.1:0", $"serial://{_folder}/near");
        using Program ends = relay;
        using Program far = Program.Start("bash", "-c", $"exec 3<>{_folder}/far; while read -r line <&3; do echo got $line; done");
        using Socket first = Connected(port);
        first.Send("one\n"u8);
        far.WaitForLine("got one");
        using Socket second = Connected(port);
        second.Send("two\n"u8);
        first.Send("three\n"u8);
        far.WaitForLine("got three");
        Assert.DoesNotContain("two", far.Output, StringComparison.Ordinal);
        first.Close();
        far.WaitForLine("got two");
    }

    [Theory]
    [InlineData("lines", "one\ntwo\n\nthree\n", "one|two||three|")]
    [InlineData("nul", "one\0two\0", "one|two|")]
    [InlineData("length:1", "\u0003one\u0002\r\n", "one|\r\n|")]
    [InlineData("length:2", "\0\u0003one\0\u0000", "one||")]
    [InlineData("length:4", "\0\0\0\u0003one", "one|")]
    [InlineData("fixed:3", "onetwo", "one|two|")]
    public void Each_message_of_a_stream_is_a_datagram_and_each_answer_a_message(string framing, string stream, string datagrams)
    {
        using Socket server = Bound();
        (Program relay, int port) = Relay(
            "relay", "--framing", framing, "tcp://127.0.0.1:0", $"udp://{server.LocalEndPoint}", "--wait", "10");
        using Program ends = relay;
        using Socket client = Connected(port);
        foreach (char letter in stream)
        {
            client.Send([(byte)letter]);
        }

        byte[] buffer = new byte[100];
        byte[] answered = new byte[stream.Length];
        foreach (string datagram in datagrams.Split('|')[..^1])
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            int count = server.ReceiveFrom(buffer, ref from);
            Assert.Equal(datagram, Encoding.ASCII.GetString(buffer, 0, count));
            server.SendTo(buffer.AsSpan(0, count), from);
        }

        for (int got = 0; got < answered.Length;)
        {
            int count = client.Receive(answered.AsSpan(got));
            Assert.NotEqual(0, count);
            got += count;
        }

        Assert.Equal(stream, Encoding.ASCII.GetString(answered));
    }

    [Fact]
    public void Each_peer_that_sends_datagrams_has_a_stream_of_its_own()
    {
        using Listening server = new();
        (Program relay, int port) = Relay("relay", "--framing", "lines", "udp://127.0.0.1:0", server.Endpoint);
        using Program ends = relay;
        using Socket one = Bound();
        using Socket two = Bound();
        IPEndPoint there = new(IPAddress.Loopback, port);
        one.SendTo("one"u8, there);
        using Socket ofOne = server.Accept();
        two.SendTo("two\n"u8, there);
        using Socket ofTwo = server.Accept();
        one.SendTo("again"u8, there);
        Assert.Equal("one\nagain\n", Receive(ofOne, 10));
        Assert.Equal("two\n", Receive(ofTwo, 4));
        ofTwo.Send("to two\n"u8);
        ofOne.Send("to one\nand more\n"u8);
        Assert.Equal("to two", Receive(two, 6));
        Assert.Equal("to one", Receive(one, 6));
        Assert.Equal("and more", Receive(one, 8));
        ofOne.Close();
        using Socket next = AcceptAfter(() => one.SendTo("new"u8, there), server);
        Assert.StartsWith("new\n", Receive(next, 4), StringComparison.Ordinal);
        relay.Signal("TERM");
        Ended ended = relay.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("relayed 3 connections over 3 to upstreams", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_peer_sends_faster_than_it_goes_on_is_lost_and_counted()
    {
        using Listening server = new();
        (Program relay, int port) = Relay("relay", "--framing", "lines", "--drain", "0", "udp://127.0.0.1:0", server.Endpoint);
        using Program ends = relay;
        using Socket peer = Bound();
        using CancellationTokenSource enough = new();
        Task sending = Task.Run(() =>
        {
            byte[] datagram = new byte[8192];
            while (!enough.IsCancellationRequested)
            {
                peer.SendTo(datagram, new IPEndPoint(IPAddress.Loopback, port));
            }
        });
        using Socket neverReads = server.Accept();
        relay.WaitForError("datagrams are lost: a peer sends faster than they can go on");
        await enough.CancelAsync();
        await sending;
        relay.Signal("TERM");
        Assert.Matches(", [1-9][0-9]* datagrams? lost\n", relay.WaitForEnd().Output);
    }

    [Fact]
    public void A_client_is_reset_where_nobody_takes_its_datagrams_or_a_message_is_cut()
    {
        int nobody = Ports.Free("udp");
        using Socket server = Bound();
        foreach ((string target, string sent, string says) in new[]
        {
            ($"udp://127.0.0.1:{nobody}", "\u0002hi", "ECONNREFUSED"),
            ($"udp://{server.LocalEndPoint}", "\u0002hi\u0009cut", "ended within a message, 4 bytes"),
        })
        {
            (Program relay, int port) = Relay("relay", "--framing", "length:1", "tcp://127.0.0.1:0", target);
            using Program ends = relay;
            using Socket client = Connected(port);
            client.Send(Encoding.ASCII.GetBytes(sent));
            client.Shutdown(SocketShutdown.Send);
            Assert.Throws<SocketException>(() => client.Receive(new byte[10]));
            relay.WaitForError(says);
        }
    }

    [Fact]
    public void A_stream_goes_to_all_by_broadcast()
    {
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        server.Bind(new IPEndPoint(IPAddress.Any, 0));
        string everybody = $"udp://127.255.255.255:{((IPEndPoint)server.LocalEndPoint!).Port}";
        Ended logged = Doorbells.Run("native", "", "log", everybody, "to all");
        Assert.Equal((0, ""), (logged.ExitCode, logged.Error));
        Assert.EndsWith(" to all", Receive(server, 1), StringComparison.Ordinal);
        Ended relayed = Doorbells.Run("native", "hello\n", "relay", "--framing", "lines", "stdio:", everybody);
        Assert.Equal(0, relayed.ExitCode);
        Assert.Equal("hello", Receive(server, 1));
    }

    [Fact]
    public void Standard_output_that_nobody_reads_any_more_is_an_error()
    {
        (Program server, Endpoint echo) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using Program ends = server;
        string relay = $"'{Doorbells.File("native")}' relay stdio: {echo} </dev/zero 2>{_folder}/error";
        Ended ended = Program.Run("bash", ["-c", $"{relay} | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}"]);
        Assert.Equal("10\n1\n", ended.Output);
        Assert.EndsWith("doorbell: send stdio: EPIPE (Broken pipe)\n", File.ReadAllText($"{_folder}/error"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("say where one ends in the stream, as in --framing lines", "tcp://127.0.0.1:0", "udp://127.0.0.1:9")]
    [InlineData("no end of this relay carries datagrams", "--framing", "lines", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9")]
    [InlineData("both carry datagrams", "udp://127.0.0.1:0", "udp://127.0.0.1:9")]
    [InlineData("each is tcp:// or unix://", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "pty:")]
    [InlineData("UPSTREAM", "stdio:", "udp://127.0.0.1:0")]
    [InlineData("UPSTREAM", "stdio:", "vsock:*:7000")]
    [InlineData("put a relay between, as in doorbell relay unix:door tls://localhost:7000", "stdio:", "tls://localhost:7000")]
    [InlineData("--self-signed is for TLS: write an endpoint as tls://host:port", "pty:", "tcp://localhost:7000", "--self-signed")]
    [InlineData("--socket-mode is for a LISTEN that is a socket", "pty:", "tcp://localhost:7000", "--socket-mode", "0666")]
    [InlineData("--max-connections is for a LISTEN that is a socket", "stdio:", "tcp://localhost:7000", "--max-connections", "7")]
    [InlineData("UPSTREAM stdio: is for the one connection", "stdio:", "stdio:")]
    [InlineData("--framing takes lines, nul", "--framing", "bogus", "tcp://127.0.0.1:0", "udp://127.0.0.1:9")]
    [InlineData("a serial line takes its speed", "tcp://127.0.0.1:0", "serial:///dev/x?115200,9N1")]
    [InlineData("a serial line takes the path", "tcp://127.0.0.1:0", "serial:")]
    [InlineData("vsock takes the number", "tcp://127.0.0.1:0", "vsock:host:1")]
    [InlineData("--proxy-protocol", "--proxy-protocol", "v1", "tcp://127.0.0.1:0", "pty:")]
    public void Ends_that_can_not_be_joined_are_wrong_usage(string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["relay", .. arguments]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>No machine of ours has the number 3; a kernel without vsock says so before.</summary>
    [Theory]
    [InlineData("open serial:///dev/nosuch: ENOENT (No such file or directory); there", "serial:///dev/nosuch", "tcp://127.0.0.1:9")]
    [InlineData("ioctl serial:///dev/null: ENOTTY (Inappropriate ioctl for device); ", "serial:///dev/null", "tcp://127.0.0.1:9")]
    [InlineData(
        "symlink pty:/nosuch/tty: ENOENT (No such file or directory); the folder is missing", "pty:/nosuch/tty", "tcp://127.0.0.1:9")]
    [InlineData("vsock:3:7000: E", "stdio:", "vsock:3:7000")]
    [InlineData("connect tcp://127.0.0.1:1: ECONNREFUSED", "stdio:", "tcp://127.0.0.1:1")]
    public void What_can_not_be_opened_is_one_line(string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["relay", .. arguments]);
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_that_another_program_has_is_named()
    {
        using Listening server = new();
        using Program cable = Cable();
        using Program first = Doorbells.Start("native", "relay", $"serial://{_folder}/near", server.Endpoint);
        first.WaitForLine("relaying ");
        Ended second = Doorbells.Run("native", "", "relay", $"serial://{_folder}/near", server.Endpoint);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("another program has it", second.Error, StringComparison.Ordinal);
    }

    /// <summary>Two pseudo-terminals that are joined, near and far, as the ends of a serial line.</summary>
    private Program Cable()
    {
        Program cable = Program.Start("socat", $"PTY,raw,echo=0,link={_folder}/near", $"PTY,raw,echo=0,link={_folder}/far");
        Waiting.Until(() => File.Exists($"{_folder}/near") && File.Exists($"{_folder}/far"), "the line is there");
        return cable;
    }

    private string Settings() => Program.Run("stty", ["-F", $"{_folder}/near", "-a"]).Output;

    private static (Program Relay, int Port) Relay(params string[] arguments)
    {
        Program relay = Doorbells.Start("native", arguments);
        return (relay, Endpoint.Parse(relay.WaitForLine("relaying ").Split(' ')[1]).Port);
    }

    private static Socket Connected(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static Socket Bound()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>At least so many bytes.</summary>
    private static string Receive(Socket socket, int least)
    {
        byte[] buffer = new byte[1000];
        int got = 0;
        while (got < least)
        {
            int count = socket.Receive(buffer.AsSpan(got));
            Assert.NotEqual(0, count);
            got += count;
        }

        return Encoding.ASCII.GetString(buffer, 0, got);
    }

    /// <summary>The relay knows a moment later that a stream has ended: until then it loses datagrams, as UDP may.</summary>
    private static Socket AcceptAfter(Action send, Listening server)
    {
        Waiting.Until(
            () =>
            {
                send();
                return server.HasConnection;
            },
            "the next stream is connected");
        return server.Accept();
    }

    private sealed class Listening : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };

        public Listening()
        {
            _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _socket.Listen();
            Endpoint = $"tcp://{_socket.LocalEndPoint}";
        }

        public string Endpoint { get; }

        public bool HasConnection => _socket.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead);

        public Socket Accept()
        {
            Socket accepted = _socket.Accept();
            accepted.ReceiveTimeout = 30_000;
            return accepted;
        }

        public void Dispose() => _socket.Dispose();
    }
}
