using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Sessions;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>
/// Options on a running server's and client's own sockets, looked for among this process's descriptors, so not beside the
/// catalogue's tests.
/// </summary>
[Collection("socket options")]
public sealed class ServerOptionTests
{
    private const int SolSocket = 1;
    private const int AcceptConn = 30;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);

    /// <summary>SO_PRIORITY is inherited by nobody, SO_RCVLOWAT by TCP alone, SO_PASSCRED by unix sockets.</summary>
    [Theory]
    [InlineData("tcp", "SO_PRIORITY", 12, 3)]
    [InlineData("tcp", "SO_RCVLOWAT", 18, 2)]
    [InlineData("unix", "SO_RCVLOWAT", 18, 3)]
    [InlineData("unix", "SO_PASSCRED", 16, 1)]
    public async Task Listener_and_connections_have_the_option(string transport, string name, int number, int value)
    {
        await using Server server = await StartAsync(transport, $"{name}={value}");
        Assert.Equal($"{name}={value}", Assert.Single(server.SocketOptions).Setting.ToString());
        Assert.Equal(1, Count(number, value, AcceptConn, 1));
        using Peer peer = new(server.Doors[0].Endpoint);
        peer.Send("hello\n");
        Assert.Equal("hello\n", peer.Receive(6));
        Assert.Equal(1, Count(number, value, AcceptConn, 0));
    }

    [Fact]
    public async Task What_doorbell_sets_by_itself_can_be_turned_off()
    {
        const int NoDelay = 1;
        const int Tcp = 6;
        await using Server server = await StartAsync("tcp", "TCP_NODELAY=0", "TCP_KEEPIDLE=4321");
        using Peer peer = new(server.Doors[0].Endpoint);
        Assert.Equal("hello\n", peer.Ask("hello\n"));
        int[] ours = [.. Descriptors().Where(static descriptor => Get(descriptor, Tcp, 4) == 4321)];
        Assert.Equal(2, ours.Length);
        Assert.All(ours, static descriptor => Assert.Equal(0, Get(descriptor, Tcp, NoDelay)));
    }

    [Fact]
    public async Task What_a_datagram_lane_sets_by_itself_can_be_turned_off()
    {
        const int Priority = 12;
        const int ReceiveOverflow = 40;
        await using Server server = await StartAsync("udp", "SO_RXQ_OVFL=0", "SO_PRIORITY=5");
        await DatagramClient.AskAsync(
            server.Doors[0].Endpoint, "hi"u8.ToArray(), _timeout, RetrySchedule.Default, CancellationToken.None);
        Assert.Equal(1, Count(Priority, 5, ReceiveOverflow, 0));
    }

    [Fact]
    public async Task Without_reuse_of_addresses_a_restart_is_refused_while_an_old_connection_is_there()
    {
        using Socket old = OptionSockets.New(SocketKinds.Tcp4);
        SocketOptionSetting.Parse("SO_REUSEADDR=1").Apply(old, "the old server");
        old.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        old.Listen();
        string endpoint = $"tcp://{old.LocalEndPoint}";
        using Peer peer = new(Endpoint.Parse(endpoint));
        using Socket connection = old.Accept();
        old.Dispose();
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(Options(ClassicServices.Echo, endpoint, "SO_REUSEADDR=0")));
        Assert.Equal("EADDRINUSE", refused.ErrnoName);
        await using Server server = await Server.StartAsync(Options(ClassicServices.Echo, endpoint));
        Assert.Single(server.Doors);
    }

    [Fact]
    public async Task Two_servers_share_a_port_if_both_ask_for_it()
    {
        await using Server first = await StartAsync("udp", "SO_REUSEPORT=1");
        await using Server second = await Server.StartAsync(
            Options(ClassicServices.Echo, first.Doors[0].Endpoint.ToString(), "SO_REUSEPORT=1"));
        Assert.Equal(first.Doors[0], second.Doors[0]);
    }

    [Fact]
    public async Task An_option_is_set_where_it_fits_and_refused_if_it_fits_nowhere()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using (Server server = await Server.StartAsync(Options(
            ClassicServices.Echo, "tcp://localhost:0 udp://127.0.0.1:0 unix://" + path, "TCP_KEEPCNT=5", "IP_TOS=16", "IPV6_TCLASS=32")))
        {
            Assert.Equal(2, server.SocketOptions.Count(static outcome => outcome.Setting.Option.Name == "TCP_KEEPCNT"));
            Assert.Equal(2, server.SocketOptions.Count(static outcome => outcome.Setting.Option.Name == "IP_TOS"));
            Assert.StartsWith(
                "tcp://[::1]:",
                Assert.Single(server.SocketOptions, static outcome => outcome.Setting.Option.Name == "IPV6_TCLASS").Target,
                StringComparison.Ordinal);
        }

        ArgumentException nowhere = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync("udp", "TCP_NODELAY=1"));
        Assert.Contains("TCP_NODELAY has no effect on udp://127.0.0.1:", nowhere.Message, StringComparison.Ordinal);
        Assert.Contains("it is for TCP", nowhere.Message, StringComparison.Ordinal);
        nowhere = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync("tcp", "TCP_SYNCNT=2"));
        Assert.Contains("TCP_SYNCNT is for the side that connects", nowhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_star_takes_the_options_of_both_families()
    {
        await using Server server = await Server.StartAsync(
            Options(ClassicServices.Echo, "tcp://*:0", "IP_TTL=33", "IPV6_UNICAST_HOPS=33"));
        Assert.Equal(["33", "33"], server.SocketOptions.Select(static outcome => outcome.Actual));
    }

    [Fact]
    public async Task What_decides_bind_is_set_before_it()
    {
        await using Server nowhere = await Server.StartAsync(
            Options(ClassicServices.Echo, "tcp://192.0.2.1:0 udp://192.0.2.1:0", "IP_FREEBIND=1"));
        Assert.Equal(2, nowhere.Doors.Count);
        await using Server only6 = await Server.StartAsync(Options(ClassicServices.Echo, "tcp://*:0", "IPV6_V6ONLY=1"));
        int port = only6.Doors[0].Endpoint.Port;
        using Peer peer = new(Endpoint.Parse($"tcp://[::1]:{port}"));
        Assert.Equal("hi\n", peer.Ask("hi\n"));
        Assert.Throws<SocketException>(() => new Peer(Endpoint.Parse($"tcp://127.0.0.1:{port}")));
    }

    [Fact]
    public async Task A_refused_option_leaves_nothing_bound()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(Options(ClassicServices.Echo, $"unix://{path} tcp://127.0.0.1:0", "TCP_CONGESTION=nonsense")));
        Assert.Contains("setsockopt tcp://127.0.0.1:0: TCP_CONGESTION=nonsense: ENOENT", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public async Task A_clients_sockets_take_options_and_tell_what_came_of_them(string transport)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo, transport);
        List<string> told = [];
        ClientOptions options = new()
        {
            SocketOptions = [SocketOptionSetting.Parse("SO_SNDBUF=100000")],
            SocketOptionSet = outcome => told.Add(outcome.ToString()),
        };
        if (server.Endpoint.IsStream)
        {
            using StreamClient client = await StreamClient.ConnectAsync(server.Endpoint, _timeout, options, CancellationToken.None);
            Assert.Equal("hi"u8.ToArray(), await client.AskAsync("hi"u8.ToArray(), _timeout, CancellationToken.None));
        }
        else
        {
            DatagramAnswer answer = await DatagramClient.AskAsync(
                server.Endpoint, "hi"u8.ToArray(), _timeout, RetrySchedule.Default, options, CancellationToken.None);
            Assert.Equal("hi"u8.ToArray(), answer.Bytes);
        }

        Assert.Equal(
            "SO_SNDBUF is 200000 bytes (asked: 100000): the kernel doubles it for its own bookkeeping (socket(7))", Assert.Single(told));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:1", "UDP_CORK=1", "UDP_CORK has no effect on tcp://127.0.0.1:1: it is for UDP")]
    [InlineData("tcp://127.0.0.1:1", "TCP_DEFER_ACCEPT=1", "TCP_DEFER_ACCEPT is for a listener")]
    public async Task A_client_refuses_an_option_of_another_kind_of_socket(string endpoint, string option, string part)
    {
        ClientOptions options = new() { SocketOptions = [SocketOptionSetting.Parse(option)] };
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(
            () => Connector.ConnectAsync(Endpoint.Parse(endpoint), _timeout, options, CancellationToken.None));
        Assert.Contains(part, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_for_connections_alone_is_set_once_there_is_one()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo);
        SocketOptionOutcome? outcome = null;
        ClientOptions options = new()
        {
            SocketOptions = [SocketOptionSetting.Parse("TCP_QUICKACK=0")],
            SocketOptionSet = told => outcome = told,
        };
        using Socket socket = await Connector.ConnectAsync(server.Endpoint, _timeout, options, CancellationToken.None);
        Assert.Equal("0", outcome!.Actual);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_client_that_is_to_be_kept_alive_is_probed_by_TCP(string transport)
    {
        const int KeepAlive = 9;
        const int KeepIdle = 4;
        const int Tcp = 6;
        const int Seconds = 4242;
        await using Running server = await Running.StartAsync(ClassicServices.Echo, transport);
        ConnectOptions options = new() { KeepAlive = TimeSpan.FromSeconds(Seconds) };
        await using Client client = await Client.ConnectAsync(server.Endpoint, new Silent(), options, CancellationToken.None);
        int probed = Descriptors().Count(static descriptor =>
            Get(descriptor, SolSocket, KeepAlive) == 1 && Get(descriptor, Tcp, KeepIdle) == Seconds);
        Assert.Equal(transport == "tcp" ? 1 : 0, probed);
    }

    private static Task<Server> StartAsync(string transport, params string[] options) => Server.StartAsync(Options(
        ClassicServices.Echo,
        transport == "unix" ? $"unix://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}" : $"{transport}://127.0.0.1:0",
        options));

    private static ServerOptions Options(Service service, string endpoints, params string[] options) => new()
    {
        Service = service,
        Model = ServerModel.Loop(1),
        Endpoints = [.. endpoints.Split(' ').Select(Endpoint.Parse)],
        SocketOptions = [.. options.Select(SocketOptionSetting.Parse)],
    };

    private static int Count(int number, int value, int number2, int value2) => Descriptors()
        .Count(descriptor => Get(descriptor, SolSocket, number) == value && Get(descriptor, SolSocket, number2) == value2);

    private static int[] Descriptors() =>
        [.. Directory.GetFiles("/proc/self/fd").Select(static path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))];

    private static int? Get(int descriptor, int level, int number)
    {
        byte[] value = new byte[sizeof(int)];
        return SocketOptionCalls.Get(descriptor, level, number, value, out _) == 0 ? BitConverter.ToInt32(value) : null;
    }

    private sealed class Silent : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }
}
