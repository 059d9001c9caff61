using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>
/// The simulated network carries a datagram handler as the engines do: opening, bell, further sockets, drain, unreachable peers.
/// </summary>
public sealed class DatagramSeamTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000002, 4000);

    [Fact]
    public void A_bell_rung_makes_it_send_without_being_asked() => Simulation.RunSeeds(20, static network =>
    {
        List<string> heard = [];
        network.BindDatagram(_client, (bytes, _, _) => heard.Add(Encoding.UTF8.GetString(bytes)));
        Scripted handler = new() { Ring = static turn => Say(turn, "rung") };
        SimulatedDatagramServer server = Serve(network, handler);
        handler.Bell!.Ring();
        handler.Bell!.Ring();
        network.RunUntilIdle();
        Assert.Equal(["rung"], heard);
        server.Close();
        handler.Bell!.Ring();
        network.RunUntilIdle();
        Assert.Equal([CloseReason.DrainDeadline], handler.Closes);
        Assert.Null(server.Fault);
    });

    [Fact]
    public void Further_sockets_have_ports_of_their_own_and_end_with_their_opener() => Simulation.RunSeeds(20, static network =>
    {
        Scripted one = new() { Idle = false };
        Scripted other = new();
        List<bool> opened = [];
        Scripted handler = new() { Open = turn => opened.AddRange([turn.TryOpenDatagrams(one), turn.TryOpenDatagrams(other)]) };
        SimulatedDatagramServer server = Serve(network, handler);
        Assert.Equal([true, true], opened);
        Assert.Distinct([_server, one.Local, other.Local]);
        int answers = 0;
        SimulatedDatagramSocket client = network.BindDatagram(_client, (_, from, _) => answers += from == one.Local ? 1 : 0);
        client.Send(one.Local, "x"u8);
        network.RunUntilIdle();
        Assert.Equal(1, answers);

        server.Drain();
        network.RunUntilIdle();
        Assert.Equal((false, 1, 0), (server.IsClosed, other.Closes.Count, one.Closes.Count));
        one.Idle = true;
        one.Bell!.Ring();
        network.RunUntilIdle();
        Assert.Equal((true, 1), (server.IsClosed, handler.Closes.Count));
        Assert.Equal([CloseReason.Completed], one.Closes);
    });

    [Fact]
    public void An_address_that_is_taken_is_told_as_closed() => Simulation.RunSeeds(5, static network =>
    {
        Scripted further = new();
        network.BindDatagram(_client, static (_, _, _) => { });
        Serve(network, new Scripted { Open = turn => Assert.True(turn.TryOpenDatagrams(_client, further)) });
        Assert.Equal([CloseReason.TransportFailed], further.Closes);
        Assert.Null(further.Bell);
    });

    [Fact]
    public void A_connected_handler_hears_its_peer_alone_and_learns_when_nobody_is_there() => Simulation.RunSeeds(20, static network =>
    {
        Scripted handler = new() { Ring = static turn => Say(turn, "hello", _server) };
        SimulatedDatagramConnection connection = network.ConnectDatagram(_client, _server, _ => handler);
        handler.Bell!.Ring();
        network.RunUntilIdle();
        Assert.Equal(1, handler.Unreachable);

        SimulatedDatagramSocket stranger = network.BindDatagram(PeerAddress.IPv4(0x0a000003, 9), static (_, _, _) => { });
        stranger.Send(_client, "forged"u8);
        SimulatedDatagramServer server = Serve(network, new Scripted());
        handler.Bell!.Ring();
        network.RunUntilIdle();
        Assert.Equal((1, 1), (handler.Datagrams, handler.Unreachable));
        connection.Drain();
        Assert.True(connection.IsClosed);
        Assert.Null(connection.Fault ?? server.Fault);
    });

    private static SimulatedDatagramServer Serve(SimulatedNetwork network, Scripted handler) =>
        network.BindDatagram(_server, new Service("scripted") { NewDatagramHandler = _ => handler });

    private static void Say(DatagramTurn turn, string text) => Say(turn, text, _client);

    private static void Say(DatagramTurn turn, string text, PeerAddress to)
    {
        Encoding.UTF8.GetBytes(text, turn.Output);
        turn.SendTo(to);
    }

    private delegate void Turning(DatagramTurn turn);

    private sealed class Scripted : DatagramHandler
    {
        public Turning Open { get; init; } = static _ => { };

        public Turning Ring { get; init; } = static _ => { };

        public bool Idle { get; set; } = true;

        public Bell? Bell { get; private set; }

        public PeerAddress Local { get; private set; }

        public int Datagrams { get; private set; }

        public int Unreachable { get; private set; }

        public List<CloseReason> Closes { get; } = [];

        public override bool IsIdle => Idle;

        public override void OnOpen(DatagramTurn turn)
        {
            (Bell, Local) = (turn.Bell, turn.Local);
            Open(turn);
        }

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            Datagrams++;
            if (datagram.From.Port != _server.Port)
            {
                turn.Reply(datagram.Bytes);
            }
        }

        public override void OnRing(DatagramTurn turn) => Ring(turn);

        public override void OnUnreachable(PeerAddress peer, DatagramTurn turn) => Unreachable++;

        public override void OnClosed(CloseReason reason) => Closes.Add(reason);
    }
}
