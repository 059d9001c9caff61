using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>How <c>connect</c> and <c>ask</c> make sockets: from where, by what, to which family, how often, and until when.</summary>
public sealed class ClientSocketTests
{
    public static TheoryData<string, string> Verbs => new()
    {
        { "connect", "tcp" }, { "connect", "udp" }, { "ask", "tcp" }, { "ask", "udp" }, { "ask", "coap" },
    };

    [Theory]
    [MemberData(nameof(Verbs))]
    public void It_comes_from_the_address_and_the_port_it_is_given(string verb, string transport)
    {
        int port = Ports.Free(transport == "tcp" ? "tcp" : "udp");
        using Socket server = Bound(IPAddress.Loopback, transport);
        using Program client = Start(verb, $"{transport}://{server.LocalEndPoint}", "--from", $"127.0.0.2:{port}", "--timeout", "30");
        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.0.0.2"), port), PeerOf(server));
    }

    /// <summary>Nobody serves at one of the two addresses of a name, whichever is tried first: the next socket has the same port.</summary>
    [Theory]
    [InlineData("connect", "127.0.0.1")]
    [InlineData("connect", "127.0.0.2")]
    [InlineData("ask", "127.0.0.1")]
    [InlineData("ask", "127.0.0.2")]
    public void Over_UDP_the_port_is_the_same_for_each_address_of_a_name(string verb, string served)
    {
        using Scratch hosts = new(".hosts");
        File.WriteAllText(hosts.Path, "127.0.0.1 two\n127.0.0.2 two\n");
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", $"udp://{served}:0");
        using (server)
        {
            Ended asked = Program.Run(
                "unshare",
                [
                    "-rm", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", hosts.Path, Doorbells.File("native"),
                    verb, $"udp://two:{endpoint.Port}", "--from", $":{Ports.Free("udp")}",
                ],
                "hello");
            Assert.Equal((0, ""), (asked.ExitCode, asked.Error));
            Assert.Contains("HELLO", asked.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("127.0.0.3", "127.0.0.3")]
    [InlineData(":PORT", "127.0.0.1")]
    [InlineData("0.0.0.0:PORT", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("[::1]", "::1")]
    [InlineData("[::1]:PORT", "::1")]
    public void An_address_alone_and_a_port_alone_are_enough(string from, string expected)
    {
        int port = Ports.Free("tcp");
        IPAddress address = IPAddress.Parse(expected);
        bool is4 = address.AddressFamily == AddressFamily.InterNetwork;
        using Socket server = Bound(is4 ? IPAddress.Loopback : IPAddress.IPv6Loopback, "tcp");
        string where = $"tcp://localhost:{((IPEndPoint)server.LocalEndPoint!).Port}";
        using Program client = Start("connect", where, "--from", from.Replace("PORT", $"{port}", StringComparison.Ordinal));
        IPEndPoint peer = PeerOf(server);
        Assert.Equal(address, peer.Address);
        Assert.True(!from.Contains("PORT", StringComparison.Ordinal) || peer.Port == port, peer.ToString());
    }

    /// <summary>The connection before is in TIME_WAIT, since the client ended first.</summary>
    [Fact]
    public void A_port_that_was_used_a_moment_ago_can_be_used_again()
    {
        string from = $":{Ports.Free("tcp")}";
        for (int i = 0; i < 2; i++)
        {
            using Socket server = Bound(IPAddress.Loopback, "tcp");
            using Program client = Start("connect", $"tcp://{server.LocalEndPoint}", "--from", from);
            client.Input.Close();
            using Socket connection = server.Accept();
            Assert.Equal(0, connection.Receive(new byte[1]));
            connection.Close();
            Assert.Equal(new Ended(0, "", ""), client.WaitForEnd());
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Of_a_name_only_addresses_of_the_family_asked_for_are_used(string verb, string transport)
    {
        foreach ((string option, IPAddress loopback, IPAddress other) in new[]
        {
            ("-4", IPAddress.Loopback, IPAddress.IPv6Loopback), ("-6", IPAddress.IPv6Loopback, IPAddress.Loopback),
        })
        {
            using Socket server = Bound(loopback, transport);
            int port = ((IPEndPoint)server.LocalEndPoint!).Port;
            using (Start(verb, $"{transport}://localhost:{port}", option, "--timeout", "30"))
            {
                Assert.Equal(loopback, PeerOf(server).Address);
            }

            Ended wrong = Doorbells.Run("native", "", Words(verb, $"{transport}://{new IPEndPoint(other, port)}", option));
            Assert.Equal(2, wrong.ExitCode);
            Assert.Contains($"is not of the family that is asked for, IPv{option[1]}", wrong.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void By_an_interface_goes_what_SO_BINDTODEVICE_would_send()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        {
            Assert.Equal(
                new Ended(0, "HELLO\n", ""), Doorbells.Run("native", "", "ask", "--raw", "--interface", "lo", $"{endpoint}", "hello"));
            Ended none = Doorbells.Run("native", "", "ask", "--interface", "nosuch0", $"{endpoint}", "hello");
            Assert.Equal(1, none.ExitCode);
            Assert.Contains("ENODEV", none.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--from", "127.0.0.1")]
    [InlineData("--from", ":5000")]
    [InlineData("-4", null)]
    [InlineData("-6", null)]
    [InlineData("--interface", "lo")]
    public void What_has_no_effect_on_a_unix_socket_is_said(string option, string? value)
    {
        string[] given = value is null ? [option] : [option, value];
        Ended ended = Doorbells.Run("native", "", ["connect", "unix:///tmp/nosuch", .. given]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("has no effect on unix:///tmp/nosuch", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_none_of_ours_is_told_by_bind()
    {
        Ended ended = Doorbells.Run("native", "", "connect", "tcp://127.0.0.1:1", "--from", "192.0.2.1:5000");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("doorbell: bind 192.0.2.1:5000: EADDRNOTAVAIL", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>The other side stays, and says nothing.</summary>
    [Theory]
    [InlineData("tcp", "no byte moved for 0.3 s")]
    [InlineData("udp", "no datagram moved for 0.3 s")]
    public void A_connection_on_which_nothing_moves_is_ended(string transport, string why)
    {
        using Socket server = Bound(IPAddress.Loopback, transport);
        using Program client = Start("connect", $"{transport}://{server.LocalEndPoint}", "--idle-timeout", "300ms");
        Ended ended = client.WaitForEnd();
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    /// <summary>Bytes move for many times as long as may pass without one, in one direction alone.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_on_which_bytes_move_in_one_direction_stays(bool fromServer)
    {
        using Socket server = Bound(IPAddress.Loopback, "tcp");
        using Program client = Start("connect", $"tcp://{server.LocalEndPoint}", "--idle-timeout", "5");
        using Socket connection = server.Accept();
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(6))
        {
            if (fromServer)
            {
                connection.Send("x\n"u8);
                client.WaitForLine("x");
            }
            else
            {
                client.Input.Write("x"u8);
                client.Input.Flush();
                Assert.Equal(1, connection.Receive(new byte[1]));
            }
        }

        Assert.False(client.HasEnded);
        connection.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, client.WaitForEnd().ExitCode);
    }

    /// <summary>The waits between are 100 and 200 ms.</summary>
    [Theory]
    [InlineData("connect", "tcp://127.0.0.1:1")]
    [InlineData("ask", "tcp://127.0.0.1:1")]
    [InlineData("connect", "unix:///tmp/nosuch-door")]
    public void A_server_that_is_not_there_is_tried_again_as_often_as_is_said(string verb, string where)
    {
        long began = Stopwatch.GetTimestamp();
        Ended ended = Doorbells.Run("native", "", Words(verb, where, "--tries", "3"));
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(300));
        Assert.Equal(1, ended.ExitCode);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void All_tries_together_take_no_longer_than_the_time_there_is()
    {
        long began = Stopwatch.GetTimestamp();
        Ended ended = Doorbells.Run("native", "", "connect", "tcp://127.0.0.1:1", "--tries", "100", "--timeout", "500ms");
        Assert.Equal(1, ended.ExitCode);
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    /// <summary>Over UDP it is heard of only if it sends.</summary>
    private static Program Start(string verb, string where, params string[] options)
    {
        Program client = Doorbells.Start("native", Words(verb, where, options));
        if (where.StartsWith("udp", StringComparison.Ordinal) && !options.Contains("--idle-timeout"))
        {
            client.Input.Write("hello"u8);
            client.Input.Flush();
        }

        return client;
    }

    private static string[] Words(string verb, string where, params string[] options)
    {
        string target = where.StartsWith("coap", StringComparison.Ordinal) ? where + "/x" : where;
        return verb == "ask" ? ["ask", .. options, target, "hello"] : ["connect", .. options, target];
    }

    private static Socket Bound(IPAddress address, string transport)
    {
        bool isStream = transport == "tcp";
        Socket socket = new(
            address.AddressFamily, isStream ? SocketType.Stream : SocketType.Dgram, isStream ? ProtocolType.Tcp : ProtocolType.Udp)
        {
            ReceiveTimeout = 30_000,
        };
        socket.Bind(new IPEndPoint(address, 0));
        if (isStream)
        {
            socket.Listen();
        }

        return socket;
    }

    /// <summary>Who connects, or sends the first datagram.</summary>
    private static IPEndPoint PeerOf(Socket server)
    {
        if (server.SocketType == SocketType.Stream)
        {
            Assert.True(server.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead), "it connects");
            using Socket connection = server.Accept();
            return (IPEndPoint)connection.RemoteEndPoint!;
        }

        EndPoint from = new IPEndPoint(server.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        server.ReceiveFrom(new byte[2000], ref from);
        return (IPEndPoint)from;
    }
}
