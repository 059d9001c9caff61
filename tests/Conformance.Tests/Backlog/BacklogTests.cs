using System.Globalization;
using System.Net.Sockets;
using System.Net;
using Doorbell.Serving;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Tests;

/// <summary>What the kernel makes of a backlog, what waits in it, and what happens when it is full.</summary>
public sealed class BacklogTests
{
    private const int Limit = 5;

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Who_waits_and_how_many_may_can_be_read_while_the_server_runs(string transport)
    {
        await using Server server = await BusyAsync(transport, new LogRecords(LogLevel.Warning));
        using Peer served = Served(server);
        using Peer first = new(server.Doors[0].Endpoint);
        using Peer second = new(server.Doors[0].Endpoint);
        using Peer third = new(server.Doors[0].Endpoint);
        long? dropped = transport == "tcp" ? 0 : null;

        // A client knows of its connection a moment before the listener does: the last ACK is still under way.
        Peer.Eventually(() => server.ReadBacklogs()[0].Waiting == 3, "three wait");
        Assert.Equal([new BacklogReading(server.Doors[0].Endpoint, 3, Limit, dropped, dropped)], server.ReadBacklogs());

        // The next is taken from the backlog as soon as there is room for it.
        served.Dispose();
        Assert.Equal("B\n", first.Ask("b\n"));
        Peer.Eventually(() => server.ReadBacklogs()[0].Waiting == 2, "one has left the backlog");
    }

    [Fact]
    public async Task A_full_backlog_drops_attempts_which_are_counted_and_told_once_and_a_client_that_tries_again_gets_in()
    {
        LogRecords log = new(LogLevel.Warning);
        ListenCounters before = ListenCounters.Read()!;
        await using Server server = await BusyAsync("tcp", log);
        using Peer served = Served(server);

        // Linux lets one more wait than the limit says.
        List<Peer> waiting = [.. Enumerable.Range(0, Limit + 1).Select(_ => new Peer(server.Doors[0].Endpoint))];
        Peer.Eventually(() => server.ReadBacklogs()[0].IsFull, "the backlog is full");
        Assert.Equal(0, server.ReadBacklogs()[0].Overflowed);
        using Socket dropped = Attempt(server);
        Peer.Eventually(() => server.ReadBacklogs()[0].Overflowed >= 1, "it is dropped");
        Assert.False(dropped.Poll(0, SelectMode.SelectWrite));
        Assert.True(ListenCounters.Read()!.ListenOverflows > before.ListenOverflows);
        Assert.True(ListenCounters.Read()!.ListenDrops > before.ListenDrops);
        Peer.Eventually(() => log.Lines.Count == 1, "the server says so");
        Assert.Contains("the kernel dropped", log.Lines[0], StringComparison.Ordinal);
        Assert.Contains($"{Limit + 1} wait now, the limit is {Limit}", log.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith(server.Doors[0].Endpoint.ToString(), log.Lines[0], StringComparison.Ordinal);

        served.Dispose();
        waiting.ForEach(static peer => peer.Dispose());
        Peer.Eventually(() => dropped.Poll(0, SelectMode.SelectWrite), "its kernel has tried again");
        await server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.True(server.ReadBacklogs()[0].Overflowed >= 1, "what overflowed is known after the end too");
        Assert.Equal(0, server.ReadBacklogs()[0].Waiting);
        Assert.Single(log.Lines);
    }

    [Fact]
    public void A_listener_that_overflows_on_and_on_says_so_once_a_minute_and_misses_none()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        Endpoint endpoint = Endpoint.From(Transport.Tcp, (IPEndPoint)listener.LocalEndPoint!);
        LogRecords log = new(LogLevel.Warning);
        BacklogWatch watch = new([new DoorSocket(listener, new Door(endpoint, Reach.ThisMachine))], log, ListenCounters.Read);
        long Overflowed() => watch.Read()[0].Overflowed!.Value;

        using Peer fills = new(endpoint);
        Peer.Eventually(() => watch.Read()[0].IsFull, "the backlog is full");
        watch.Look(TimeSpan.FromSeconds(1));
        Assert.Empty(log.Lines);
        using Socket second = Attempt(endpoint);
        Peer.Eventually(() => Overflowed() >= 1, "the second is dropped");
        watch.Look(TimeSpan.FromSeconds(2));
        Assert.Single(log.Lines);
        long told = Overflowed();
        using Socket third = Attempt(endpoint);
        Peer.Eventually(() => Overflowed() > told, "the third is dropped");
        watch.Look(TimeSpan.FromSeconds(61.9));
        Assert.Single(log.Lines);

        // The clients' kernels try again at any time: end them, so that the number stands.
        second.Dispose();
        third.Dispose();
        watch.Look(TimeSpan.FromSeconds(62));
        Assert.Equal(2, log.Lines.Count);
        Assert.Equal(Overflowed(), log.Lines.Sum(static line => DroppedIn(line)));
        watch.Look(TimeSpan.FromSeconds(200));
        Assert.Equal(2, log.Lines.Count);
    }

    [Fact]
    public void What_the_kernel_drops_though_there_is_room_is_no_overflow()
    {
        // With TCP_DEFER_ACCEPT (tcp(7)) the kernel drops the bare ACK that ends a handshake. A SYN that comes twice counts alike.
        const int IpprotoTcp = 6;
        const int TcpDeferAccept = 9;
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetRawSocketOption(IpprotoTcp, TcpDeferAccept, BitConverter.GetBytes(20));
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(Limit);
        Endpoint endpoint = Endpoint.From(Transport.Tcp, (IPEndPoint)listener.LocalEndPoint!);
        LogRecords log = new(LogLevel.Warning);

        // Other programs' listeners may overflow at any time: here none does.
        BacklogWatch watch = new(
            [new DoorSocket(listener, new Door(endpoint, Reach.ThisMachine))], log, static () => new ListenCounters(7, 7));
        using Peer silent = new(endpoint);
        Peer.Eventually(() => watch.Read()[0].Dropped >= 1, "its ACK is dropped");
        watch.Look(TimeSpan.FromSeconds(1));
        Assert.Equal(0, watch.Read()[0].Overflowed);
        Assert.Empty(log.Lines);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task The_kernel_caps_a_backlog_at_somaxconn_and_takes_a_smaller_one_as_it_is(string transport)
    {
        int most = int.Parse(await File.ReadAllTextAsync("/proc/sys/net/core/somaxconn", TestContext.Current.CancellationToken),
            CultureInfo.InvariantCulture);
        foreach ((int? asked, int made) in new (int?, int)[] { (null, most), (int.MaxValue, most), (most - 1, most - 1), (0, 0) })
        {
            await using Server server = await Server.StartAsync(Options(transport) with { ListenBacklog = asked });
            Assert.Equal(made, server.ReadBacklogs()[0].Limit);
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Server.StartAsync(Options(transport) with { ListenBacklog = -1 }));
    }

    [Fact]
    public async Task Only_listeners_have_a_backlog()
    {
        await using Server server = await Server.StartAsync(ClassicServices.Echo, "udp://127.0.0.1:0", "tcp://localhost:0");
        Assert.Equal(
            server.Doors.Skip(1).Select(static door => door.Endpoint), server.ReadBacklogs().Select(static read => read.Endpoint));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:7")]
    [InlineData("unix:///tmp/closed")]
    public void A_closed_socket_has_no_backlog_to_read(string endpoint)
    {
        Socket closed = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => BacklogReading.Read(closed, Endpoint.Parse(endpoint)));
    }

    [Fact]
    public void The_namespaces_counters_are_found_by_name_or_not_at_all()
    {
        string[] lines = ["IpExt: A B", "IpExt: 1 2", "TcpExt: X ListenOverflows Y ListenDrops", "TcpExt: 1 2 3 4"];
        Assert.Equal(new ListenCounters(2, 4), ListenCounters.Parse(lines));
        Assert.Null(ListenCounters.Parse(lines[..3]));
        Assert.Null(ListenCounters.Parse(lines[..2]));
        Assert.Null(ListenCounters.Parse(["TcpExt: X ListenDrops", "TcpExt: 1 2"]));
        Assert.Null(ListenCounters.Parse(["TcpExt: ListenOverflows ListenDrops", "TcpExt: 1"]));
    }

    private static ServerOptions Options(string transport) => new()
    {
        Service = ClassicServices.Capitalize,
        Model = ServerModel.Loop(1),
        Endpoints = [Endpoint.Parse(
            transport == "unix" ? $"unix://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}" : "tcp://127.0.0.1:0")],
    };

    /// <summary>A server that serves one connection at once.</summary>
    private static Task<Server> BusyAsync(string transport, LogRecords log) =>
        Server.StartAsync(Options(transport) with
        {
            MaxConnections = 1, AtLimit = AtLimit.LeaveInBacklog, ListenBacklog = Limit, Logging = log,
        });

    private static Peer Served(Server server)
    {
        Peer peer = new(server.Doors[0].Endpoint);
        Assert.Equal("A\n", peer.Ask("a\n"));
        return peer;
    }

    private static Socket Attempt(Server server) => Attempt(server.Doors[0].Endpoint);

    /// <summary>Begins to connect, and does not wait.</summary>
    private static Socket Attempt(Endpoint endpoint)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        SocketException begun = Assert.Throws<SocketException>(() => socket.Connect(IPAddress.Loopback, endpoint.Port));
        Assert.Equal(SocketError.WouldBlock, begun.SocketErrorCode);
        return socket;
    }

    private static long DroppedIn(string line) => long.Parse(line.Split('(')[1].Split(')')[0], CultureInfo.InvariantCulture);
}
