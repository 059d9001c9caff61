using System.Net;
using System.Text;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>The proxies in memory: what clients say, however it is cut, and what they are answered.</summary>
public sealed class TunnelTests
{
    private const string Socks5 = "\x05\x01\x00";
    private const string Connected5 = "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x1a\x85";

    private static readonly TunnelOptions _withUsers = TunnelOptions.Default with
    {
        Users = new Dictionary<string, string> { ["anna"] = "s\u00e9same", ["bob"] = "" },
    };

    /// <summary>Proxy, what the client says, where it is connected to, the answer.</summary>
    public static TheoryData<string, string, string, string> Connects => new()
    {
        { "socks", Socks5 + "\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x07", "tcp://10.0.0.2:7", Connected5 },
        { "socks", Socks5 + "\x05\x01\x00\x03\x0b" + "example.org\x01\xbb", "tcp://example.org:443", Connected5 },
        {
            "socks", "\x05\x03\x02\x00\x01\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50", "tcp://[2001:db8::1]:80",
            Connected5
        },
        { "socks", "\x04\x01\x00\x07\x0a\x00\x00\x02me\x00", "tcp://10.0.0.2:7", "\x00\x5a\x00\x00\x00\x00\x00\x00" },
        { "socks", "\x04\x01\x00\x07\x00\x00\x00\x01\x00" + "example.org\x00", "tcp://example.org:7", "\x00\x5a\x00\x00\x00\x00\x00\x00" },
        {
            "http-proxy", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", "tcp://example.org:443",
            "HTTP/1.1 200 Connection established\r\n\r\n"
        },
        {
            "http-proxy", "CONNECT [2001:db8::1]:443 HTTP/1.0\r\n\r\n", "tcp://[2001:db8::1]:443",
            "HTTP/1.1 200 Connection established\r\n\r\n"
        },
    };

    /// <summary>Proxy, what the client says, how the answer begins.</summary>
    public static TheoryData<string, string, string> Refuses => new()
    {
        { "socks", "\x05\x01\x02", "\x05\xff" },
        { "socks", "\x05\x00", "\x05\xff" },
        { "socks", "GET / HTTP/1.0\r\n\r\n", "" },
        { "socks", Socks5 + "\x05\x02\x00\x01\x0a\x00\x00\x02\x00\x07", "\x05\x00\x05\x07" },
        { "socks", Socks5 + "\x05\x03\x00\x01\x0a\x00\x00\x02\x00\x07", "\x05\x00\x05\x07" },
        { "socks", Socks5 + "\x05\x01\x00\x02\x0a\x00\x00\x02\x00\x07", "\x05\x00\x05\x08" },
        { "socks", Socks5 + "\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x00", "\x05\x00\x05\x01" },
        { "socks", Socks5 + "\x05\x01\x00\x03\x00\x00\x07", "\x05\x00\x05\x01" },
        { "socks", Socks5 + "\x05\x01\x00\x03\x01*\x00\x07", "\x05\x00\x05\x01" },
        { "socks", Socks5 + "\x05\x01\x00\x03\x07" + "a/b?c#d\x00\x07", "\x05\x00\x05\x01" },
        { "socks", Socks5 + "\x04", "" },
        { "socks", "\x04\x02\x00\x07\x0a\x00\x00\x02me\x00", "\x00\x5b" },
        { "http-proxy", "GET http://example.org/ HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n" },
        { "http-proxy", "CONNECT example.org HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", "CONNECT example.org:0 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", "CONNECT example.org:+80 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", "CONNECT ::1:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", "CONNECT user@example.org:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", "HELLO\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", "\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "http-proxy", new string('x', 20_000), "HTTP/1.1 431 " },
    };

    [Theory]
    [MemberData(nameof(Connects))]
    public void A_client_is_connected_to_where_it_says_and_what_it_sends_early_comes_out_there(
        string proxy, string request, string target, string answer)
    {
        for (int seed = 0; seed < 50; seed++)
        {
            InMemoryConnection client = Client(Proxy(proxy), seed);
            client.PeerSends(Latin1(request + "early"));
            client.Run();
            Assert.True(client.TryTakeConnect(out ConnectRequest? asked));
            Assert.Equal(target, asked.Endpoint.ToString());
            Assert.True(asked.Admits(PeerAddress.IPv4(0x7f000001, 7)));
            InMemoryConnection upstream = new(asked, seed, client.Ledger) { CutAtRandom = true };
            upstream.PeerSends("greeting"u8);
            Run(client, upstream);
            Assert.Equal(answer + "greeting", Text(client));
            Assert.Equal("early", Text(upstream));
            client.PeerEnds();
            upstream.PeerEnds();
            Run(client, upstream);
            Assert.Equal((CloseReason.Completed, CloseReason.Completed), (client.Ended, upstream.Ended));
            Assert.Equal(0, client.RentedBytes + upstream.RentedBytes);
        }
    }

    [Theory]
    [MemberData(nameof(Refuses))]
    public void What_is_no_request_for_a_connection_is_answered_and_closed(string proxy, string request, string answer)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            InMemoryConnection client = Client(Proxy(proxy), seed);
            client.PeerSends(Latin1(request));
            client.Run();
            Assert.False(client.TryTakeConnect(out _));
            client.PeerEnds();
            client.Run();
            Assert.NotNull(client.Ended);
            Assert.StartsWith(answer, Text(client), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("ECONNREFUSED", "\x05\x05", "HTTP/1.1 502 Bad Gateway")]
    [InlineData("ENETUNREACH", "\x05\x03", "HTTP/1.1 502 Bad Gateway")]
    [InlineData("EAI_NONAME", "\x05\x04", "HTTP/1.1 502 Bad Gateway")]
    [InlineData("ETIMEDOUT", "\x05\x04", "HTTP/1.1 504 Gateway Timeout")]
    [InlineData("EACCES", "\x05\x02", "HTTP/1.1 403 Forbidden")]
    [InlineData("EIO", "\x05\x01", "HTTP/1.1 502 Bad Gateway")]
    public void A_client_is_told_why_its_target_can_not_be_connected(string error, string socks, string http)
    {
        foreach ((string proxy, string request, string answer) in new[]
        {
            ("socks", Socks5 + "\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x07", "\x05\x00" + socks),
            ("http-proxy", "CONNECT example.org:443 HTTP/1.1\r\n\r\n", http),
            ("socks", "\x04\x01\x00\x07\x0a\x00\x00\x02me\x00", "\x00\x5b"),
        })
        {
            InMemoryConnection client = Client(Proxy(proxy), seed: 1);
            client.PeerSends(Latin1(request));
            client.Run();
            Assert.True(client.TryTakeConnect(out ConnectRequest? asked));
            asked.Fail(new ConnectFailure(error, "connect: failed"), client.Ledger);
            client.PeerEnds();
            client.Run();
            Assert.StartsWith(answer, Text(client), StringComparison.Ordinal);
            Assert.Equal(CloseReason.Completed, client.Ended);
        }
    }

    [Theory]
    [InlineData("\x05\x01\x02\x01\x04" + "anna\x07s\xc3\xa9same", "\x05\x02\x01\x00", true)]
    [InlineData("\x05\x01\x02\x01\x03" + "bob\x00", "\x05\x02\x01\x00", true)]
    [InlineData("\x05\x01\x02\x01\x04" + "anna\x06sesame", "\x05\x02\x01\x01", false)]
    [InlineData("\x05\x01\x02\x01\x04" + "anna\x00", "\x05\x02\x01\x01", false)]
    [InlineData("\x05\x01\x02\x01\x00\x00", "\x05\x02\x01\x01", false)]
    [InlineData("\x05\x01\x00", "\x05\xff", false)]
    [InlineData("\x04\x01\x00\x07\x0a\x00\x00\x02" + "anna\x00", "", false)]
    public void With_users_a_client_of_SOCKS_gives_a_name_and_a_password(string said, string answer, bool isConnected)
    {
        InMemoryConnection client = Client(SocksProxy.New(_withUsers), seed: 1);
        client.PeerSends(Latin1(said));
        client.Run();
        client.PeerSends(Latin1("\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x07"));
        client.Run();
        Assert.Equal((answer, isConnected), (Text(client), client.TryTakeConnect(out _)));
    }

    [Theory]
    [InlineData("Proxy-Authorization: Basic YW5uYTpzw6lzYW1l\r\n", true)]
    [InlineData("Host: x\r\nPROXY-AUTHORIZATION:basic   YW5uYTpzw6lzYW1l \r\n", true)]
    [InlineData("", false)]
    [InlineData("Proxy-Authorization: Basic YW5uYTpzZXNhbWU=\r\n", false)]
    [InlineData("Proxy-Authorization: Basic not base64\r\n", false)]
    [InlineData("Proxy-Authorization: Basic\r\n", false)]
    [InlineData("Proxy-Authorization: Bearer YW5uYTpzw6lzYW1l\r\n", false)]
    [InlineData("Authorization: Basic YW5uYTpzw6lzYW1l\r\n", false)]
    public void With_users_a_client_of_HTTP_gives_a_name_and_a_password(string fields, bool isConnected)
    {
        InMemoryConnection client = Client(HttpProxy.New(_withUsers), seed: 1);
        client.PeerSends(Latin1($"CONNECT example.org:443 HTTP/1.1\r\n{fields}\r\n"));
        client.Run();
        Assert.Equal(isConnected, client.TryTakeConnect(out _));
        Assert.Equal(isConnected ? "" : "HTTP/1.1 407 ", Text(client)[..(isConnected ? 0 : 13)]);
    }

    [Fact]
    public void A_client_of_another_machine_may_go_only_where_Targets_say_and_one_of_this_machine_too_if_they_say_something()
    {
        PeerAddress near = PeerAddress.IPv4(0x0a000002, 7);
        PeerAddress far = PeerAddress.IPv4(0x0a000003, 7);
        TunnelOptions some = TunnelOptions.Default with { Targets = [TargetRange.Parse("10.0.0.2:7")] };
        Assert.Equal((true, true), (Admits(TunnelOptions.Default, "127.0.0.1", near), Admits(TunnelOptions.Default, "127.0.0.1", far)));
        Assert.Equal((false, false), (Admits(TunnelOptions.Default, "192.0.2.1", near), Admits(TunnelOptions.Default, "192.0.2.1", far)));
        Assert.Equal((true, false), (Admits(some, "127.0.0.1", near), Admits(some, "127.0.0.1", far)));
        Assert.Equal((true, false), (Admits(some, "192.0.2.1", near), Admits(some, "192.0.2.1", far)));
    }

    [Theory]
    [InlineData("socks")]
    [InlineData("http-proxy")]
    public void A_request_that_comes_too_slowly_ends_the_connection_and_a_tunnel_has_no_such_bound(string proxy)
    {
        InMemoryConnection slow = Client(Proxy(proxy), seed: 1);
        for (int second = 0; second < 9; second++)
        {
            slow.PeerSends(Latin1(proxy == "socks" ? "\x05\x09\0\0\0\0\0\0\0\0\0"[second..(second + 1)] : "x"));
            slow.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Null(slow.Ended);
        slow.Advance(TimeSpan.FromSeconds(5));
        Assert.NotNull(slow.Ended);
        Assert.StartsWith(proxy == "socks" ? "" : "HTTP/1.1 408 ", Text(slow), StringComparison.Ordinal);

        InMemoryConnection tunnel = Client(Proxy(proxy), seed: 1);
        tunnel.PeerSends(Latin1(proxy == "socks" ? Socks5 + "\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x07" : "CONNECT a:1 HTTP/1.1\r\n\r\n"));
        tunnel.Run();
        Assert.True(tunnel.TryTakeConnect(out ConnectRequest? asked));
        InMemoryConnection upstream = new(asked, 2, tunnel.Ledger);
        Run(tunnel, upstream);
        tunnel.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(tunnel.Ended);
    }

    [Fact]
    public void Nothing_that_a_client_says_makes_a_fault()
    {
        string[] requests = [.. Connects.Select(static row => row.Data.Item2)];
        for (int seed = 0; seed < 20_000; seed++)
        {
            Random random = new(seed);
            string proxy = random.Next(2) == 0 ? "socks" : "http-proxy";
            byte[] said = Latin1(requests[random.Next(requests.Length)]);
            for (int change = random.Next(4); change > 0; change--)
            {
                said[random.Next(said.Length)] = (byte)random.Next(256);
            }

            TunnelOptions options = random.Next(3) == 0 ? _withUsers : TunnelOptions.Default;
            InMemoryConnection client = Client(proxy == "socks" ? SocksProxy.New(options) : HttpProxy.New(options), seed);
            client.PeerSends(said.AsSpan(0, random.Next(said.Length + 1)));
            client.Run();
            client.PeerEnds();
            client.Run();
            Assert.True(client.Fault is null, $"seed {seed}: {client.Fault}");
        }
    }

    [Fact]
    public void A_client_that_goes_while_it_is_being_connected_gives_it_up()
    {
        InMemoryConnection client = Client(Proxy("http-proxy"), seed: 1);
        client.PeerSends("CONNECT a:1 HTTP/1.1\r\n\r\n"u8);
        client.Run();
        Assert.True(client.TryTakeConnect(out ConnectRequest? asked));
        client.PeerResets();
        client.Run();
        Assert.Equal((CloseReason.PeerReset, true), (client.Ended, asked.IsCancelled));
    }

    private static Service Proxy(string name) =>
        name == "socks" ? SocksProxy.New(TunnelOptions.Default) : HttpProxy.New(TunnelOptions.Default);

    private static InMemoryConnection Client(Service proxy, int seed) =>
        new(proxy.NewStreamHandler!(InMemoryConnection.Info), seed, proxy.StreamLimits) { CutAtRandom = seed > 0 };

    private static bool Admits(TunnelOptions options, string client, PeerAddress target)
    {
        PeerAddress from = PeerAddress.From(new IPEndPoint(IPAddress.Parse(client), 50_000));
        InMemoryConnection connection = new(
            HttpProxy.New(options).NewStreamHandler!(InMemoryConnection.Info), 1, layers: [_ => new NamedPeer(from)]);
        connection.PeerSends("CONNECT a:1 HTTP/1.1\r\n\r\n"u8);
        connection.Run();
        Assert.True(connection.TryTakeConnect(out ConnectRequest? asked));
        return asked.Admits(target);
    }

    private static void Run(InMemoryConnection client, InMemoryConnection upstream)
    {
        while (client.Step() | upstream.Step())
        {
        }
    }

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    private static string Text(InMemoryConnection connection) => Encoding.Latin1.GetString(connection.PeerReceived);

    /// <summary>A client that another proxy has named.</summary>
    private sealed class NamedPeer(PeerAddress peer) : StreamLayer
    {
        public override int MaxUnitBytes => 1;

        public override LayerState Begin(OutputBuffer wire) => LayerState.Transparent;

        public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire) => new(0, 0, LayerState.Transparent);

        public override PeerAddress Peer(PeerAddress seen) => peer;
    }
}
