using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>What a datagram handler can do without being asked, under every model that has threads or tasks.</summary>
public sealed class DatagramSeamTests
{
    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_bell_rung_from_outside_makes_it_send_without_being_asked(string model)
    {
        using Socket client = Bound();
        Scripted handler = new();
        handler.Ring = turn => Say(turn, "rung", PeerAddress.From((IPEndPoint)client.LocalEndPoint!));
        await using Running server = await StartAsync(handler, model);
        await handler.Opened.Task.WaitAsync(TimeSpan.FromSeconds(20));
        handler.Bell!.Ring();
        Assert.Equal("rung", Receive(client));
        handler.Bell!.Ring();
        Assert.Equal("rung", Receive(client));
        await server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        handler.Bell!.Ring();
        Assert.Equal([CloseReason.Completed], handler.Closes);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task It_sends_first_as_soon_as_its_socket_is_open_and_knows_its_port(string model)
    {
        using Socket client = Bound();
        int port = 0;
        Scripted handler = new();
        handler.Open = turn =>
        {
            port = turn.Local.Port;
            Say(turn, "open", PeerAddress.From((IPEndPoint)client.LocalEndPoint!));
        };
        await using Running server = await StartAsync(handler, model);
        Assert.Equal("open", Receive(client));
        Assert.Equal(server.Endpoint.Port, port);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_further_socket_answers_at_a_port_of_its_own_and_ends_with_its_opener(string model)
    {
        Scripted further = new();
        Scripted handler = new();
        handler.Open = turn => Assert.True(turn.TryOpenDatagrams(further));
        await using Running server = await StartAsync(handler, model);
        PeerAddress local = await further.Opened.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.NotEqual(server.Endpoint.Port, local.Port);
        using Socket client = Bound();
        client.SendTo("hello"u8, new IPEndPoint(IPAddress.Loopback, local.Port));
        Assert.Equal("hello", Receive(client));
        await server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Equal([CloseReason.Completed], further.Closes);
        Assert.Equal(1, further.Drains);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_further_socket_that_closes_itself_makes_room_for_another(string model)
    {
        Service service = new("opening")
        {
            NewDatagramHandler = static _ => new OneAfterTheOther(),
            DatagramLimits = DatagramLimits.Default with { MaxOpenedSockets = 1 },
        };
        await using Running server = await Running.StartAsync(service, "udp", model: model);
        using Socket client = Bound();
        for (int i = 0; i < 3; i++)
        {
            Peer.Eventually(
                () =>
                {
                    client.SendTo("open"u8, new IPEndPoint(IPAddress.Loopback, server.Endpoint.Port));
                    return Receive(client) == "True";
                },
                "the further socket before has ended");
        }
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task An_address_that_is_taken_is_told_as_closed_and_the_opener_goes_on(string model)
    {
        using Socket taken = Bound();
        Scripted further = new();
        Scripted handler = new();
        handler.Open = turn => Assert.True(turn.TryOpenDatagrams(PeerAddress.From((IPEndPoint)taken.LocalEndPoint!), further));
        await using Running server = await StartAsync(handler, model);
        Peer.Eventually(() => further.Closes.Count == 1, "the handler is told");
        Assert.Equal([CloseReason.TransportFailed], further.Closes);
        Assert.False(further.Opened.Task.IsCompleted);
        using Socket client = Bound();
        client.SendTo("still here"u8, new IPEndPoint(IPAddress.Loopback, server.Endpoint.Port));
        Assert.Equal("still here", Receive(client));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_drain_waits_for_a_handler_that_is_not_idle_and_hears_its_bell(string model)
    {
        Scripted handler = new() { Idle = false };
        handler.Ring = _ => handler.Idle = true;
        await using Running server = await StartAsync(handler, model);
        await handler.Opened.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Task drained = server.Server.DrainAsync(TimeSpan.FromSeconds(60));
        Peer.Eventually(() => handler.Drains == 1, "the drain is told");
        using Socket client = Bound();
        client.ReceiveTimeout = 500;
        Peer.Eventually(
            () =>
            {
                // Another socket of the door, which closes just now, may take one with it.
                client.SendTo("late"u8, new IPEndPoint(IPAddress.Loopback, server.Endpoint.Port));
                return TryReceive(client) == "late";
            },
            "the socket that is not idle answers");
        Assert.False(drained.IsCompleted);
        handler.Bell!.Ring();
        await drained.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal([CloseReason.Completed], handler.Closes);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_that_never_becomes_idle_ends_at_the_drains_deadline(string model)
    {
        Scripted handler = new() { Idle = false };
        await using Running server = await StartAsync(handler, model);
        await handler.Opened.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal([CloseReason.DrainDeadline], handler.Closes);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Over_IPv6_a_datagram_of_65527_bytes_is_answered(string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Echo,
            "udp",
            model: model,
            change: static options => options with { Endpoints = [Endpoint.Parse("udp://[::1]:0")] });
        using Socket client = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        client.Connect(IPAddress.IPv6Loopback, server.Endpoint.Port);
        byte[] received = new byte[65_536];
        foreach (int bytes in (int[])[65_507, 65_508, 65_527])
        {
            client.Send(new byte[bytes]);
            Assert.Equal(bytes, client.Receive(received));
        }

        Assert.Equal(0, server.Counts.Errors);
    }

    /// <summary>
    /// A model may have several sockets at a door, and each needs a handler of its own: the first has this one, the others echo.
    /// </summary>
    private static Task<Running> StartAsync(Scripted handler, string model)
    {
        int made = 0;
        Service service = new("scripted")
        {
            NewDatagramHandler = _ => Interlocked.Increment(ref made) == 1 ? handler : new Scripted(),
        };
        return Running.StartAsync(service, "udp", model: model);
    }

    private static Socket Bound()
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return client;
    }

    private static string Receive(Socket client)
    {
        byte[] buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, client.Receive(buffer));
    }

    private static string? TryReceive(Socket client)
    {
        try
        {
            return Receive(client);
        }
        catch (SocketException none) when (none.SocketErrorCode is SocketError.WouldBlock or SocketError.TimedOut)
        {
            return null;
        }
    }

    private static void Say(DatagramTurn turn, string text, PeerAddress to)
    {
        Encoding.UTF8.GetBytes(text, turn.Output);
        turn.SendTo(to);
    }

    private delegate void Turning(DatagramTurn turn);

    private sealed class Scripted : DatagramHandler
    {
        private volatile bool _idle = true;
        private int _drains;

        public Turning Open { get; set; } = static _ => { };

        public Turning Ring { get; set; } = static _ => { };

        public Bell? Bell { get; private set; }

        public int Drains => Volatile.Read(ref _drains);

        public ConcurrentQueue<CloseReason> Closes { get; } = new();

        public TaskCompletionSource<PeerAddress> Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Idle
        {
            get => _idle;
            set => _idle = value;
        }

        public override bool IsIdle => _idle;

        public override void OnOpen(DatagramTurn turn)
        {
            Bell = turn.Bell;
            Open(turn);
            Opened.SetResult(turn.Local);
        }

        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => turn.Reply(datagram.Bytes);

        public override void OnRing(DatagramTurn turn) => Ring(turn);

        public override void OnDrain(DatagramTurn turn) => Interlocked.Increment(ref _drains);

        public override void OnClosed(CloseReason reason) => Closes.Enqueue(reason);
    }

    /// <summary>Says whether a further socket could be opened; that one closes at once.</summary>
    private sealed class OneAfterTheOther : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn) =>
            turn.Reply(Encoding.UTF8.GetBytes($"{turn.TryOpenDatagrams(new Closing())}"));

        private sealed class Closing : DatagramHandler
        {
            public override void OnOpen(DatagramTurn turn) => turn.Close();

            public override void OnDatagram(Datagram datagram, DatagramTurn turn)
            {
            }
        }
    }
}
