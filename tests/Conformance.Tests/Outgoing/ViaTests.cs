using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>Connections through our own proxies, on real sockets.</summary>
public sealed class ViaTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => [.. Models.Here];

    /// <summary>One speaks first, and its first bytes come right behind the proxy's answer.</summary>
    [Theory]
    [InlineData("socks5")]
    [InlineData("http")]
    public async Task A_socket_through_a_proxy_has_every_byte_of_the_server(string kind)
    {
        await using Running daytime = await Running.StartAsync(ClassicServices.Daytime);
        await using Running proxy = await StartProxyAsync(kind);
        for (int visit = 0; visit < 20; visit++)
        {
            using Socket socket = await Connector.ConnectAsync(
                Endpoint.Parse($"tcp://localhost:{daytime.Endpoint.Port}"),
                visit % 2 == 0 ? _timeout : Timeout.InfiniteTimeSpan,
                ClientOptions.Default,
                [Proxy(kind, proxy)],
                default);
            string told = Encoding.ASCII.GetString(await ReadToEndAsync(socket));
            Assert.True(char.IsAsciiLetterUpper(told[0]) && told.EndsWith("-UTC\r\n", StringComparison.Ordinal), told);
        }
    }

    [Fact]
    public async Task Proxies_stand_behind_each_other()
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize);
        await using Running socks = await StartProxyAsync("socks5");
        await using Running http = await StartProxyAsync("http");
        using StreamClient client = await StreamClient.ConnectAsync(
            capitalize.Endpoint,
            MessageClientOptions.Default with { Via = [Proxy("socks5", socks), Proxy("http", http), Proxy("socks5", socks)] },
            default);
        Assert.Equal("HELLO", Encoding.UTF8.GetString(await client.AskAsync("hello"u8.ToArray(), _timeout, default)));
        Assert.Equal(2, socks.Counts.ConnectionsOpened);
        Assert.Equal(1, http.Counts.ConnectionsOpened);
    }

    [Theory]
    [InlineData("socks5", SocketError.ConnectionRefused, "the connection was refused")]
    [InlineData("http", SocketError.HostUnreachable, "it answers 502 Bad Gateway")]
    public async Task A_server_that_is_not_there_is_told_by_the_proxy(string kind, SocketError error, string why)
    {
        await using Running proxy = await StartProxyAsync(kind);
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(() => Connector.ConnectAsync(
            Endpoint.Parse("tcp://127.0.0.1:1"), _timeout, ClientOptions.Default, [Proxy(kind, proxy)], default));
        Assert.Equal(error, failure.Error);
        Assert.StartsWith(
            $"connect tcp://127.0.0.1:1: the proxy {Proxy(kind, proxy)} does not connect", failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("socks5")]
    [InlineData("http")]
    public async Task A_proxy_that_is_silent_or_ends_is_told(string kind)
    {
        await using Running discard = await Running.StartAsync(ClassicServices.Discard);
        NetworkException silent = await Assert.ThrowsAsync<NetworkException>(() => Connector.ConnectAsync(
            Endpoint.Parse("tcp://h:1"), TimeSpan.FromMilliseconds(300), ClientOptions.Default, [Proxy(kind, discard)], default));
        Assert.Equal(SocketError.TimedOut, silent.Error);
        Assert.Contains($"the proxy {Proxy(kind, discard)} gave no answer within 0.3 s", silent.Message, StringComparison.Ordinal);
        await using Running ending = await Running.StartAsync(new Service("ends") { NewStreamHandler = static _ => new EndingHandler() });
        NetworkException ended = await Assert.ThrowsAsync<NetworkException>(() => Connector.ConnectAsync(
            Endpoint.Parse("tcp://h:1"), _timeout, ClientOptions.Default, [Proxy(kind, ending)], default));
        Assert.Contains("ended the connection without an answer", ended.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_relay_goes_through_a_proxy_under_every_model(string model)
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize);
        await using Running proxy = await StartProxyAsync("socks5");
        RelayOptions options = new() { Via = [Proxy("socks5", proxy)] };
        Service relay = Relay.To([Endpoint.Parse("tcp://127.0.0.1:1"), capitalize.Endpoint], options);
        await using Running running = await Running.StartAsync(relay, model: model);
        for (int visit = 0; visit < 3; visit++)
        {
            using Peer peer = running.Connect();
            Assert.Equal("HELLO\n", peer.Ask("hello\n"));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
        }
    }

    private static Task<Running> StartProxyAsync(string kind) => Running.StartAsync(
        kind == "http" ? HttpProxy.New(TunnelOptions.Default) : SocksProxy.New(TunnelOptions.Default));

    private static TunnelProxy Proxy(string kind, Running at) => TunnelProxy.Parse($"{kind}://127.0.0.1:{at.Endpoint.Port}");

    private static async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        List<byte> all = [];
        byte[] buffer = new byte[1000];
        for (int count; (count = await socket.ReceiveAsync(buffer)) > 0;)
        {
            all.AddRange(buffer[..count]);
        }

        return [.. all];
    }

    private sealed class EndingHandler : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.Close(input.Length);
    }
}
