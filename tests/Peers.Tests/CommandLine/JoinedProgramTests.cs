using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A program in the place of <c>connect</c> or <c>listen</c>: <c>--exec</c> and <c>--shell</c>.</summary>
public sealed class JoinedProgramTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void The_program_has_the_connection_and_its_exit_code_is_the_commands(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start(
            kind, "connect", $"tcp://{listener.LocalEndPoint}", "--shell",
            "read line; echo \"$line $TCPREMOTEPORT $NCAT_LOCAL_ADDR\"; exit 7");
        using Socket connection = listener.Accept();
        connection.Send("hello\n"u8);
        Assert.Equal($"hello {((IPEndPoint)listener.LocalEndPoint!).Port} 127.0.0.1\n", ReadToEnd(connection));
        Assert.Equal(new Ended(7, "", ""), joined.WaitForEnd());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_program_begins_as_if_it_had_been_started_by_itself(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start(
            kind, "connect", $"tcp://{listener.LocalEndPoint}", "--exec", "sh", "-c",
            "grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status | tr -d '\\n'; ls -l /proc/$$/fd | grep -c ' [3-9] ->'");
        using Socket connection = listener.Accept();
        string said = ReadToEnd(connection);
        string none = new('0', 16);
        Assert.Contains($"SigBlk:\t{none}SigIgn:\t{none}", said, StringComparison.Ordinal);
        Assert.EndsWith("\n0\n", "\n" + said[(said.LastIndexOfAny(['\t']) + 17)..], StringComparison.Ordinal);
        Assert.Equal("", joined.WaitForEnd().Error);
    }

    [Fact]
    public void The_program_waits_in_read_for_what_comes_late()
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start("native", "connect", $"tcp://{listener.LocalEndPoint}", "--exec", "head", "-n1");
        using Socket connection = listener.Accept();
        Assert.False(joined.EndsWithin(TimeSpan.FromMilliseconds(200)), "it waits");
        connection.Send("hello\n"u8);
        Assert.Equal("hello\n", ReadToEnd(connection));
        Assert.Equal(0, joined.WaitForEnd().ExitCode);
    }

    [Fact]
    public void A_signal_reaches_the_program()
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start("native", "connect", $"tcp://{listener.LocalEndPoint}", "--exec", "sleep", "60");
        using Socket connection = listener.Accept();
        joined.Signal("TERM");
        Assert.Equal(143, joined.WaitForEnd().ExitCode);
    }

    [Fact]
    public void A_datagram_socket_is_given_to_a_program_too()
    {
        using Socket peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Program joined = Doorbells.Start(
            "native", "connect", $"udp://{peer.LocalEndPoint}", "--exec", "sh", "-c", "echo hello; head -n1");
        byte[] buffer = new byte[100];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(6, peer.ReceiveFrom(buffer, ref from));
        peer.SendTo("again\n"u8, from);
        Assert.Equal("again\n", Encoding.ASCII.GetString(buffer, 0, peer.Receive(buffer)));
        Assert.Equal(0, joined.WaitForEnd().ExitCode);
    }

    /// <summary>The first datagram is the program's to read.</summary>
    [Fact]
    public void The_first_who_sends_a_datagram_is_a_programs_peer()
    {
        int port = Ports.Free("udp");
        using Program joined = Doorbells.Start(
            "native", "listen", $"udp://127.0.0.1:{port}", "--exec", "sh", "-c", "echo \"$(head -n1) for $UDPREMOTEPORT\"");
        Ports.WaitUntilServed("udp", port);
        using Socket peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        peer.Connect(IPAddress.Loopback, port);
        peer.Send("hello\n"u8);
        byte[] buffer = new byte[100];
        string answer = Encoding.ASCII.GetString(buffer, 0, peer.Receive(buffer));
        Assert.Equal($"hello for {((IPEndPoint)peer.LocalEndPoint!).Port}\n", answer);
        Assert.Equal(0, joined.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("listen tcp://127.0.0.1:0 --exec nosuch-program", 1, "execute nosuch-program: ENOENT")]
    [InlineData("connect tcp://127.0.0.1:1 --exec nosuch-program", 1, "execute nosuch-program: ENOENT")]
    [InlineData("connect tcp://127.0.0.1:1 --shell true --exec true", 2, "--exec and --shell exclude each other")]
    [InlineData("connect tcp://127.0.0.1:1 --crlf --shell true", 2, "--crlf has no effect with --exec and --shell")]
    [InlineData("connect --option SO_BROADCAST=1 udp://255.255.255.255:9 --exec true", 2, "is many peers")]
    public void What_can_not_be_done_is_told_before_anybody_is_connected(string words, int code, string says)
    {
        Ended ended = Doorbells.Run("native", "", words.Split(' '));
        Assert.Equal((code, ""), (ended.ExitCode, ended.Output));
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(says, line, StringComparison.Ordinal);
    }

    private static Socket Listener()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static string ReadToEnd(Socket socket)
    {
        socket.ReceiveTimeout = 30_000;
        StringBuilder text = new();
        byte[] buffer = new byte[1000];
        for (int count; (count = socket.Receive(buffer)) > 0;)
        {
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return text.ToString();
    }
}
