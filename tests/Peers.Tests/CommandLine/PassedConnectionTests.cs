using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>One connection that somebody else has accepted: <c>serve SERVICE fd://N</c> under inetd, systemd and socat.</summary>
public sealed class PassedConnectionTests
{
    /// <summary>PORT is where it listens, and COMMAND is the server with what it needs.</summary>
    public static TheoryData<string, string> Superservers => new()
    {
        { "systemd-socket-activate --accept --inetd -l 127.0.0.1:PORT DOORBELL serve capitalize fd://0", "inetd" },
        { "systemd-socket-activate --accept -l 127.0.0.1:PORT DOORBELL serve capitalize", "activation" },
        { "systemd-socket-activate --accept -l 127.0.0.1:PORT DOORBELL serve capitalize fd://3", "activation by number" },
        { "systemd-socket-activate --accept --fdname=connection -l 127.0.0.1:PORT DOORBELL serve capitalize fd://connection", "by name" },
        { "socat TCP-LISTEN:PORT,bind=127.0.0.1,fork,reuseaddr \"EXEC:'DOORBELL serve capitalize fd://0'\"", "its socketpair" },
        { "socat TCP-LISTEN:PORT,bind=127.0.0.1,reuseaddr \"EXEC:'DOORBELL serve capitalize fd://0',nofork\"", "its socket" },
    };

    [Theory]
    [MemberData(nameof(Superservers))]
    public void Each_connection_is_served_by_a_process_that_ends_with_it(string command, string what)
    {
        Assert.NotEmpty(what);
        int port = Ports.Free("tcp");
        string whole = command.Replace("PORT", $"{port}", StringComparison.Ordinal)
            .Replace("DOORBELL", Doorbells.File("native"), StringComparison.Ordinal);
        using Program superserver = Program.Start("bash", "-c", $"exec {whole}");
        Ports.WaitUntilServed("tcp", port);
        int connections = command.Contains("nofork", StringComparison.Ordinal) ? 1 : 3;
        foreach (int number in Enumerable.Range(1, connections))
        {
            using Socket client = Connect(port);
            client.Send(Encoding.ASCII.GetBytes($"hello {number}\nand"));
            Assert.Equal($"HELLO {number}", ReadLine(client));
            client.Send(" more"u8);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal("AND MORE", ReadLine(client));
        }
    }

    /// <summary>Standard input, output and error are the connection: nothing but answers goes there, and the exit code is 0.</summary>
    [Fact]
    public void Nothing_but_the_answers_is_written_to_the_connection()
    {
        using Socket listener = Listener();
        using Program server = Program.Start(
            "socat", $"TCP:{listener.LocalEndPoint}", $"EXEC:'{Doorbells.File("native")} serve -v capitalize fd://0',nofork,stderr");
        using Socket client = listener.Accept();
        client.ReceiveTimeout = 30_000;
        client.Send("hello\n"u8);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("HELLO", ReadLine(client));
        Assert.Equal("", ReadLine(client));
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Fact]
    public void A_limit_ends_the_connection_and_with_it_the_server()
    {
        using Socket listener = Listener();
        using Program server = Program.Start(
            "socat", $"TCP:{listener.LocalEndPoint}", $"EXEC:'{Doorbells.File("native")} serve echo fd://0 --idle-timeout 300ms',nofork");
        using Socket client = listener.Accept();
        client.ReceiveTimeout = 30_000;
        client.Send("hello\n"u8);
        Assert.Equal("hello", ReadLine(client));
        Assert.Equal("", ReadLine(client));
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Fact]
    public void A_signal_drains_it()
    {
        using Socket listener = Listener();
        using Program server = Program.Start(
            "socat", $"TCP:{listener.LocalEndPoint}", $"EXEC:'{Doorbells.File("native")} serve capitalize fd://0',nofork");
        using Socket client = listener.Accept();
        client.ReceiveTimeout = 30_000;
        client.Send("one\nhalf"u8);
        Assert.Equal("ONE", ReadLine(client));
        server.Signal("TERM");
        client.Send(" done\n"u8);
        Assert.Equal("HALF DONE", ReadLine(client));
        Assert.Equal("", ReadLine(client));
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("serve fd://0 --shell cat", 2, "is a connection: a program can be given it by whoever passed it")]
    [InlineData("serve echo fd://0 --takeover /tmp/x", 2, "is a connection, which no other server can take over: leave out --takeover")]
    [InlineData("serve echo fd://0 tcp://127.0.0.1:0", 1, "one connection as the only endpoint")]
    public void What_a_connection_can_not_have_is_told(string words, int code, string says)
    {
        using Socket listener = Listener();
        using Program server = Program.Start(
            "socat", $"TCP:{listener.LocalEndPoint}", $"EXEC:'{Doorbells.File("native")} {words}',nofork");
        using Socket client = listener.Accept();
        Ended ended = server.WaitForEnd();
        Assert.Equal(code, ended.ExitCode);
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
    }

    private static Socket Listener()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static Socket Connect(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>Up to an LF or the end.</summary>
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
