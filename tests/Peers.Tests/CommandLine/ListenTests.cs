using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary><c>doorbell listen</c> as a user runs it.</summary>
public sealed class ListenTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-listen-");

    public static TheoryData<string> Both => Doorbells.Both;

    public static TheoryData<string> Clients =>
        ["nc -N 127.0.0.1 PORT", "ncat 127.0.0.1 PORT", "socat -t10 - TCP:127.0.0.1:PORT", "DOORBELL connect 127.0.0.1:PORT"];

    [Theory]
    [MemberData(nameof(Clients))]
    public void Megabytes_pass_both_ways_with_every_client_and_nobody_else_is_let_in(string client)
    {
        byte[] there = Random(1);
        byte[] here = Random(2);
        File.WriteAllBytes($"{_folder.FullName}/there", there);
        File.WriteAllBytes($"{_folder.FullName}/here", here);
        string doorbell = Doorbells.File("native");
        using Program listening = Program.Start(
            "bash", "-c", $"cd {_folder.FullName} && '{doorbell}' listen tcp://127.0.0.1:0 <here >from-there");
        int port = PortOf(listening);
        string command = client.Replace("PORT", $"{port}", StringComparison.Ordinal)
            .Replace("DOORBELL", doorbell, StringComparison.Ordinal);
        Ended ended = Program.Run("bash", ["-c", $"cd {_folder.FullName} && {command} <there >from-here"]);
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal(0, listening.WaitForEnd().ExitCode);
        Assert.Equal(here, File.ReadAllBytes($"{_folder.FullName}/from-here"));
        Assert.Equal(there, File.ReadAllBytes($"{_folder.FullName}/from-there"));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_first_connection_is_the_only_one(string kind)
    {
        using Program listening = Doorbells.Start(kind, "listen", "-v", "tcp://127.0.0.1:0");
        int port = PortOf(listening);
        using Socket first = Connect(port);
        listening.WaitForError($"tcp://127.0.0.1:{port}: connection from {first.LocalEndPoint}");
        Ports.WaitUntilGone(port);
        Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => Connect(port)).SocketErrorCode);
        first.Shutdown(SocketShutdown.Both);
        Assert.Equal(0, listening.WaitForEnd().ExitCode);
    }

    /// <summary>Each connection takes what is typed while it is there. Nothing is read for one that has ended.</summary>
    [Theory]
    [MemberData(nameof(Both))]
    public void What_is_typed_goes_to_who_is_there(string kind)
    {
        using Program listening = Doorbells.Start(kind, "listen", "--keep", "-v", "tcp://localhost:0");
        int port = PortOf(listening);
        foreach (int number in Enumerable.Range(1, 3))
        {
            listening.Input.Write(Encoding.ASCII.GetBytes($"before {number}\n"));
            listening.Input.Flush();
            using Socket peer = Connect(port);
            Assert.Equal($"before {number}", ReadLine(peer));
            listening.Input.Write(Encoding.ASCII.GetBytes($"while {number}\n"));
            listening.Input.Flush();
            Assert.Equal($"while {number}", ReadLine(peer));
            peer.Send(Encoding.ASCII.GetBytes($"from {number}\n"));
            peer.Close();
            listening.WaitForErrors("ended", lines: number);
        }

        Assert.Equal("from 1\nfrom 2\nfrom 3\n", listening.Output);
    }

    /// <summary>A reset costs what the kernel had taken for that peer. All that comes behind is the next one's, without a gap.</summary>
    [Fact]
    public void What_one_connection_could_not_be_sent_is_the_next_ones()
    {
        const int Lines = 4_000_000;
        string all = string.Concat(Enumerable.Range(0, Lines)
            .Select(static number => string.Create(CultureInfo.InvariantCulture, $"{number:D7}\n")));
        File.WriteAllText($"{_folder.FullName}/lines", all);
        using Program listening = Program.Start(
            "bash", "-c", $"'{Doorbells.File("native")}' listen -k tcp://127.0.0.1:0 <{_folder.FullName}/lines");
        int port = PortOf(listening);
        using (Socket first = Connect(port))
        {
            Assert.Equal("0000000", ReadLine(first));
            first.Close(0);
        }

        using Socket second = Connect(port);
        second.Shutdown(SocketShutdown.Send);
        StringBuilder rest = new();
        byte[] buffer = new byte[64 * 1024];
        for (int count; (count = second.Receive(buffer)) > 0;)
        {
            rest.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        Assert.InRange(rest.Length, 1, all.Length - 8);
        Assert.EndsWith(rest.ToString(), all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0", "nobody connected within 0.2 s")]
    [InlineData("udp://127.0.0.1:0", "nobody sent anything within 0.2 s")]
    public void If_nobody_comes_it_fails_after_its_time_out(string endpoint, string says)
    {
        Ended ended = Doorbells.Run("native", "", "listen", "--timeout", "200ms", endpoint);
        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp", "no byte moved for 0.2 s, so the connection was ended")]
    [InlineData("udp", "no datagram moved for 0.2 s, so the socket was closed")]
    public void A_silent_peer_is_given_up_after_its_time_out(string transport, string says)
    {
        using Program listening = Doorbells.Start("native", "listen", "--idle-timeout", "200ms", $"{transport}://127.0.0.1:0");
        int port = PortOf(listening);
        using Socket peer = transport == "tcp" ? Connect(port) : Datagrams(port);
        peer.Send("hello\n"u8);
        Ended ended = listening.WaitForEnd();
        Assert.Equal((1, "hello\n"), (ended.ExitCode, ended.Output));
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public void A_signal_ends_it_by_itself_and_removes_the_sockets_file(string signal, int code)
    {
        string path = $"{_folder.FullName}/socket";
        using Program listening = Doorbells.Start("native", "listen", "-k", "-v", $"unix://{path}");
        listening.WaitForError($"listening on unix://{path}");
        Assert.True(File.Exists(path));
        listening.Signal(signal);
        Assert.Equal(code, listening.WaitForEnd().ExitCode);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_unix_sockets_file_goes_when_somebody_has_connected()
    {
        string path = $"{_folder.FullName}/socket";
        using Program listening = Doorbells.Start("native", "listen", "-v", $"unix://{path}");
        listening.WaitForError("listening on ");
        using Socket peer = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(path));
        Waiting.Until(() => !File.Exists(path), "its file is removed");
        peer.Send("hello\n"u8);
        peer.Close();
        Assert.Equal((0, "hello\n"), (listening.WaitForEnd().ExitCode, listening.Output));
    }

    [Fact]
    public void Everyone_s_datagrams_are_heard_and_the_last_one_is_answered()
    {
        using Program listening = Doorbells.Start("native", "listen", "--keep", "udp://localhost:0");
        int port = PortOf(listening);
        using Socket one = Datagrams(port);
        using Socket two = Datagrams(port);
        foreach ((Socket peer, string text) in new[] { (one, "one"), (two, "two"), (one, "one again") })
        {
            peer.Send(Encoding.ASCII.GetBytes(text + "\n"));
            listening.WaitForLine(text);
            listening.Input.Write(Encoding.ASCII.GetBytes($"to {text}\n"));
            listening.Input.Flush();
            byte[] buffer = new byte[100];
            Assert.Equal($"to {text}\n", Encoding.ASCII.GetString(buffer, 0, peer.Receive(buffer)));
        }
    }

    /// <summary>With -v each sender is told once, the later ones too.</summary>
    [Fact]
    public void Each_sender_of_datagrams_is_told_when_it_comes()
    {
        using Program listening = Doorbells.Start("native", "listen", "-k", "-v", "udp://127.0.0.1:0");
        int port = PortOf(listening);
        using Socket first = Datagrams(port);
        using Socket second = Datagrams(port);
        foreach (Socket socket in (Socket[])[first, second, first, second])
        {
            socket.Send("x"u8);
            listening.WaitForError($"datagram from {socket.LocalEndPoint}");
        }

        second.Send("end\n"u8);
        listening.WaitForLine("end");
        Assert.Equal(2, listening.Error.Split("datagram from").Length - 1);
    }

    /// <summary>Two datagrams wait before the command can look at either: the kernel holds both, and one sender's is taken.</summary>
    [Fact]
    public void Datagrams_of_others_that_came_with_the_first_are_told_of()
    {
        using Program listening = Doorbells.Start("native", "listen", "udp://127.0.0.1:0");
        int port = PortOf(listening);
        using Socket one = Datagrams(port);
        using Socket two = Datagrams(port);
        listening.Signal("STOP");
        one.Send("one\n"u8);
        two.Send("two\n"u8);
        listening.Signal("CONT");
        listening.WaitForError($"datagrams of others are dropped, since {one.LocalEndPoint} came first, as one from {two.LocalEndPoint}");
        one.Send("more\n"u8);
        listening.WaitForLine("more");
        Assert.Equal("one\nmore\n", listening.Output);
    }

    [Fact]
    public void A_unix_datagram_socket_hears_who_has_no_address_and_can_not_answer()
    {
        string path = $"{_folder.FullName}/log";
        using Program listening = Doorbells.Start("native", "listen", "-v", $"unix+dgram://{path}");
        listening.WaitForError("listening on ");
        Assert.Equal(0, Program.Run("socat", ["-u", "-", $"UNIX-SENDTO:{path}"], "<14>hello\n").ExitCode);
        listening.WaitForLine("<14>hello");
        listening.Input.Write("answer\n"u8);
        listening.Input.Close();
        Ended ended = listening.WaitForEnd();
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("its sender has bound no address", ended.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("--keep tcp://127.0.0.1:0 --shell true", "--keep does not go with --exec and --shell")]
    [InlineData("--raw tcp://127.0.0.1:0 --exec true", "--raw has no effect with --exec and --shell")]
    [InlineData("tcp://127.0.0.1:0 udp://127.0.0.1:0", "streams and datagrams are listened for one at a time")]
    public void Options_that_exclude_each_other_are_wrong_usage(string words, string says)
    {
        Ended ended = Doorbells.Run("native", "", ["listen", .. words.Split(' ')]);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static byte[] Random(int seed)
    {
        byte[] bytes = new byte[5 * 1024 * 1024];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>The port that it says, since it was asked for any.</summary>
    private static int PortOf(Program listening)
    {
        listening.WaitForError("listening on ");
        string line = listening.Error.Split('\n').First(static line => line.Contains("listening on ", StringComparison.Ordinal));
        return int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
    }

    private static Socket Connect(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static Socket Datagrams(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static string ReadLine(Socket socket)
    {
        StringBuilder line = new();
        byte[] one = new byte[1];
        while (socket.Receive(one) == 1 && one[0] != '\n')
        {
            line.Append((char)one[0]);
        }

        return line.ToString();
    }
}
