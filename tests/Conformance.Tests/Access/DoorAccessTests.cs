using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>Whom a door admits, on every accept path and every datagram lane.</summary>
public sealed class DoorAccessTests
{
    private static readonly AccessList _noLoopback = new() { Deny = [AddressRange.Parse("127.0.0.0/8"), AddressRange.Unix] };
    private static readonly AccessList _loopback = new() { Allow = [AddressRange.Parse("127.0.0.1"), AddressRange.Unix] };

    public static TheoryData<string, string> Streams => Matrix(["tcp", "unix"]);

    public static TheoryData<string, string> Datagrams => Matrix(["udp", "unix+dgram"]);

    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_connection_from_an_address_that_is_denied_is_closed_and_counted_as_that(string model, string transport)
    {
        await using Running denies = await StartAsync(model, transport, _noLoopback);
        using (Peer peer = denies.Connect())
        {
            Assert.Equal("", peer.ReceiveToEnd());
        }

        Peer.Eventually(() => denies.Counts.ConnectionsDenied == 1, "the connection is counted");
        Assert.Equal((0L, 0L, 1L), (denies.Counts.ConnectionsRefused, denies.Counts.ConnectionsOpened, denies.Counts.Errors));
        await using Running allows = await StartAsync(model, transport, _loopback);
        using Peer admitted = allows.Connect();
        Assert.Equal("A\n", admitted.Ask("a\n"));
        Assert.Equal(0, allows.Counts.ConnectionsDenied);
    }

    [Theory]
    [MemberData(nameof(Datagrams))]
    public async Task A_datagram_from_an_address_that_is_denied_is_dropped_and_counted_as_that(string model, string transport)
    {
        await using Running denies = await StartAsync(model, transport, _noLoopback);
        using Socket client = ClientOf(denies);
        client.Send("one"u8);
        client.Send("two"u8);
        Peer.Eventually(() => denies.Counts.Dropped(DatagramDrop.Denied) == 2, "both are counted");
        Assert.Equal((0L, 2L), (denies.Counts.DatagramsReceived, denies.Counts.Errors));
        await using Running allows = await StartAsync(model, transport, _loopback);
        using Socket admitted = ClientOf(allows);
        admitted.Send("a"u8);
        byte[] answer = new byte[10];
        Assert.Equal("A", Encoding.UTF8.GetString(answer, 0, admitted.Receive(answer)));
        Assert.Equal(0, allows.Counts.Dropped(DatagramDrop.Denied));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    public async Task A_program_gets_nothing_from_an_address_that_is_denied(string transport)
    {
        Service cat = Service.Run("cat", new ServiceProgram("/bin/cat", []));
        await using Running running = await Running.StartAsync(cat, transport, change: options => WithAccess(options, _noLoopback));
        const int Programs = 128; // at once, unless more are asked for
        if (transport == "tcp")
        {
            using Peer peer = running.Connect();
            Assert.Equal("", peer.ReceiveToEnd());
            Peer.Eventually(() => running.Counts.ConnectionsDenied == 1, "the connection is counted");
        }
        else
        {
            using Socket client = ClientOf(running);
            client.Send("one"u8);
            Peer.Eventually(() => running.Counts.Dropped(DatagramDrop.Denied) == 1, "the datagram is counted");
        }

        Assert.Equal((0L, 0L), (running.Counts.ConnectionsOpened, running.Counts.DatagramsReceived));
        Peer.Eventually(() => running.LeasesLeft == Programs, "every place is free again");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Behind_a_proxy_both_its_address_and_the_one_it_names_can_be_denied(string model)
    {
        AccessList client = new() { Deny = [AddressRange.Parse("192.0.2.0/24")] };
        await using Running running = await StartBehindProxyAsync(model, client);
        for (int i = 0; i < 2; i++)
        {
            using Peer denied = running.Connect();
            denied.Send("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\na\n");
            denied.HalfClose();
            Assert.Equal("", denied.ReceiveToEnd());
        }

        using (Peer admitted = running.Connect())
        {
            admitted.Send("PROXY TCP4 203.0.113.9 198.51.100.7 56324 443\r\na\n");
            Assert.Equal("A\n", admitted.Receive(2));
        }

        Peer.Eventually(() => running.Counts is { ConnectionsOpen: 0, ConnectionsOpened: 3 }, "all are closed");
        Assert.Equal((2L, 2L), (running.Counts.ConnectionsDenied, running.Counts.Closed(CloseReason.PeerRefused)));
        Assert.Equal(2, running.Counts.Errors);
        Peer.Eventually(() => running.LeasesLeft >= 9_999, "the leases are given back");
        await using Running other = await StartBehindProxyAsync(model, _noLoopback);
        using Peer proxy = other.Connect();
        Assert.Equal("", proxy.ReceiveToEnd());
        Assert.Equal((1L, 0L), (other.Counts.ConnectionsDenied, other.Counts.ConnectionsOpened));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_peer_that_a_proxy_names_and_that_is_denied_is_told_the_refusal_line(string model)
    {
        AccessList client = new() { Deny = [AddressRange.Parse("192.0.2.0/24")] };
        await using Running running = await StartBehindProxyAsync(model, client, "not you");
        using Peer denied = running.Connect();
        denied.Send("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
        Assert.Equal("not you\n", denied.ReceiveToEnd());
    }

    [Fact]
    public async Task Two_doors_at_one_endpoint_with_different_lists_are_refused()
    {
        DoorOptions door = new() { Endpoint = "tcp://127.0.0.1:27999", Service = ClassicServices.Echo };
        ServerOptions options = new() { ReusePort = true, Doors = [door, door with { Access = _loopback }] };
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() => Server.StartAsync(options));
        Assert.Contains("Access", refused.Message, StringComparison.Ordinal);
    }

    private static TheoryData<string, string> Matrix(string[] transports)
    {
        TheoryData<string, string> all = [];
        foreach (string model in Models.All)
        {
            foreach (string transport in transports)
            {
                all.Add(model, transport);
            }
        }

        return all;
    }

    private static ServerOptions WithAccess(ServerOptions options, AccessList access) => options with
    {
        Service = null,
        Endpoints = [],
        Doors = [new DoorOptions { Endpoint = options.Endpoints[0], Service = options.Service!, Access = access }],
    };

    /// <summary>A worker process is the command's, which reads the list from a file.</summary>
    private static async Task<Running> StartAsync(string model, string transport, AccessList access) =>
        await DoorFile.StartAsync(
            ClassicServices.Capitalize, model, transport, options => WithAccess(options, access), DoorFile.Json(access));

    private static Task<Running> StartBehindProxyAsync(string model, AccessList access, string? refusal = null) => Running.StartAsync(
        ClassicServices.Capitalize,
        model: model,
        change: options => WithAccess(options, access) with
        {
            RefusalLine = refusal,
            Doors =
            [
                WithAccess(options, access).Doors[0] with { Layers = [ProxyProtocol.Accept([AddressRange.Parse("127.0.0.0/8")])] },
            ],
        });

    private static Socket ClientOf(Running server)
    {
        Endpoint door = server.Endpoint;
        Socket client = door.IsUnix
            ? new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
            : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.ReceiveTimeout = 20_000;
        if (door.IsUnix)
        {
            client.Bind(new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())));
            client.Connect(new UnixDomainSocketEndPoint(door.Path!));
        }
        else
        {
            client.Connect(new IPEndPoint(IPAddress.Parse(door.Host!), door.Port));
        }

        return client;
    }
}
