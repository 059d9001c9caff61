using System.Diagnostics;
using System.Text;
using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>The simulated server's backlog, limits and drain are the real one's.</summary>
public sealed class ServerLimitTests(ITestOutputHelper output)
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private readonly SimulatedNetwork _network = new(31);

    [Fact]
    public void At_the_limit_one_more_than_the_backlog_waits_and_the_next_gets_in_when_its_syn_finds_a_place()
    {
        SimulatedListener listener = Listen(new SimulatedServerOptions
        {
            MaxConnections = 1, AtLimit = AtLimit.LeaveInBacklog, ListenBacklog = 1,
        });
        SimulatedClient[] clients = ConnectInTurn(4);
        _network.Run(TimeSpan.FromMilliseconds(900));
        Assert.Equal([true, true, true, false], clients.Select(static client => client.IsConnected));
        Assert.Equal((2, 1L), (listener.Waiting, listener.Overflowed));

        // Who waits in the backlog may send; it is kept.
        clients[1].Send("early\n"u8);
        clients[0].End();
        _network.Run(TimeSpan.FromMilliseconds(990));
        Assert.Equal("EARLY\n", Encoding.UTF8.GetString(clients[1].Received));
        Assert.False(clients[3].IsConnected);
        _network.Run(TimeSpan.FromMilliseconds(1_100));
        Assert.True(clients[3].IsConnected, "its SYN was sent again after a second and found a place");
        Assert.Equal(ConnectionFailure.None, clients[3].Failure);
    }

    [Fact]
    public void A_client_whose_syns_all_find_the_backlog_full_times_out()
    {
        StreamLimits patient = StreamLimits.Default with
        {
            IdleTimeout = Timeout.InfiniteTimeSpan, FirstByteTimeout = Timeout.InfiniteTimeSpan,
        };
        _network.ListenStream(
            _server,
            ClassicServices.Echo with { StreamLimits = patient },
            new SimulatedServerOptions
        {
            MaxConnections = 1, AtLimit = AtLimit.LeaveInBacklog, ListenBacklog = 0,
        });
        Connect(0);
        _network.Run(TimeSpan.FromSeconds(1));
        Connect(1);
        _network.Run(TimeSpan.FromSeconds(2));
        SimulatedClient late = Connect(2);
        _network.RunUntilIdle();
        Assert.Equal(ConnectionFailure.TimedOut, late.Failure);
        Assert.Equal(TimeSpan.FromSeconds(2 + 131), _network.Now);
    }

    [Fact]
    public void With_AtLimit_Close_one_too_many_is_told_so_and_closed()
    {
        SimulatedListener listener = Listen(new SimulatedServerOptions
        {
            MaxConnections = 2, AtLimit = AtLimit.Close, RefusalLine = "come back later",
        });
        SimulatedClient[] clients = ConnectInTurn(3);
        _network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("come back later\n", Encoding.UTF8.GetString(clients[2].Received));
        Assert.True(clients[2].ServerEnded);
        Assert.Equal((2, 1), (listener.Ledger.Read().ConnectionsOpen, listener.Ledger.Read().ConnectionsRefused));
    }

    [Fact]
    public void One_address_has_no_more_than_its_share()
    {
        SimulatedListener listener = Listen(new SimulatedServerOptions { MaxConnectionsPerAddress = 2 });
        SimulatedClient[] clients = [.. Enumerable.Range(0, 3).Select(i => Connect(0, (ushort)(50_000 + i)))];
        Connect(1);
        _network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal((3, 1), (listener.Ledger.Read().ConnectionsOpen, listener.Ledger.Read().ConnectionsRefused));
        clients[0].End();
        clients[1].End();
        _network.Run(TimeSpan.FromSeconds(2));
        Connect(0, 60_000);
        _network.Run(TimeSpan.FromSeconds(3));
        Assert.Equal((2, 1), (listener.Ledger.Read().ConnectionsOpen, listener.Ledger.Read().ConnectionsRefused));
    }

    [Fact]
    public void Behind_a_proxy_the_share_is_that_of_the_address_that_the_proxy_names()
    {
        SimulatedListener listener = Listen(new SimulatedServerOptions
        {
            MaxConnectionsPerAddress = 1,
            RefusalLine = "come back later",
            Layers = [ProxyProtocol.Accept([AddressRange.Parse("10.0.0.0/8")])],
        });
        SimulatedClient first = Named(50_001, "192.0.2.1");
        SimulatedClient other = Named(50_002, "192.0.2.2");
        SimulatedClient again = Named(50_003, "192.0.2.1");
        SimulatedClient silent = Connect(0, 50_004);
        _network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(
            ["A\n", "A\n", "come back later\n", ""],
            new[] { first, other, again, silent }.Select(static client => Encoding.UTF8.GetString(client.Received)));
        first.End();
        _network.Run(TimeSpan.FromSeconds(2));
        SimulatedClient later = Named(50_005, "192.0.2.1");
        _network.Run(TimeSpan.FromSeconds(5));
        Assert.Equal("A\n", Encoding.UTF8.GetString(later.Received));
        LedgerSnapshot counts = listener.Ledger.Read();
        Assert.Equal((1L, 1L, 1L), (counts.ConnectionsRefused, counts.Closed(CloseReason.PeerRefused), counts.Errors));

        SimulatedClient Named(ushort port, string address)
        {
            SimulatedClient client = Connect(0, port);
            client.Send(Encoding.ASCII.GetBytes($"PROXY TCP4 {address} 198.51.100.7 56324 443\r\na\n"));
            return client;
        }
    }

    [Fact]
    public void A_listener_s_handlers_have_no_more_connections_of_their_own_than_they_may()
    {
        PeerAddress upstream = PeerAddress.IPv4(0x0a0000fe, 7);
        _network.ListenStream(upstream, ClassicServices.Echo);
        SimulatedListener relay = _network.ListenStream(
            _server, Relay.To("tcp://10.0.0.254:7"), new SimulatedServerOptions { MaxOutgoingConnections = 1 });
        SimulatedClient first = Connect(0);
        _network.Run(TimeSpan.FromSeconds(1));
        SimulatedClient second = Connect(1);
        _network.Run(TimeSpan.FromSeconds(2));
        Assert.Equal((ConnectionFailure.None, ConnectionFailure.Reset), (first.Failure, second.Failure));
        Assert.Equal((1L, 1L, 1), (relay.Ledger.Read().OutgoingRefused, relay.Ledger.Read().ConnectFailures, relay.OutgoingConnections));
        first.End();
        _network.Run(TimeSpan.FromSeconds(3));
        SimulatedClient third = Connect(2);
        third.Send("hello"u8);
        _network.Run(TimeSpan.FromSeconds(4));
        Assert.True(third.Received.SequenceEqual("hello"u8));
    }

    [Fact]
    public void A_drain_answers_what_has_arrived_refuses_who_comes_late_and_resets_the_rest_at_its_deadline()
    {
        SimulatedListener listener = Listen(new SimulatedServerOptions { MaxConnections = 3, AtLimit = AtLimit.LeaveInBacklog });
        SimulatedClient[] clients = ConnectInTurn(4);
        _network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(1, listener.Waiting);
        clients[0].Send("in flight\n"u8);
        clients[1].Send("half a li"u8);
        clients[3].Send("from the backlog\n"u8);
        _network.Run(TimeSpan.FromSeconds(2));
        listener.Drain(TimeSpan.FromSeconds(10));
        SimulatedClient late = Connect(5);
        _network.Run(TimeSpan.FromSeconds(3));
        Assert.Equal(ConnectionFailure.Refused, late.Failure);
        Assert.Equal("IN FLIGHT\n", Encoding.UTF8.GetString(clients[0].Received));
        Assert.True(clients[0].ServerEnded);
        Assert.False(listener.IsDrained);
        clients[0].End();
        _network.Run(TimeSpan.FromSeconds(5));
        Assert.Equal("FROM THE BACKLOG\n", Encoding.UTF8.GetString(clients[3].Received));
        _network.RunUntilIdle();
        Assert.True(listener.IsDrained);
        Assert.Equal(ConnectionFailure.Reset, clients[1].Failure);
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.DrainDeadline));
        Assert.Equal(0, listener.RentedBytes);

        // Its address is free for the one behind it.
        SimulatedListener next = Listen(SimulatedServerOptions.Default);
        Connect(6);
        _network.Run(_network.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(1, next.Ledger.Read().ConnectionsOpen);
    }

    [Fact]
    public void Thousands_of_connections_at_once_on_one_thread()
    {
        const int Clients = 8_000;
        const int Lines = 5;
        long started = Stopwatch.GetTimestamp();
        _network.DefaultLink = LinkProfiles.LossyWan.Up with { BitsPerSecond = 0 };
        SimulatedListener listener = Listen(SimulatedServerOptions.Default);
        SimulatedClient[] clients = [.. Enumerable.Range(0, Clients).Select(i => Connect(i % 500, (ushort)(10_000 + i)))];
        for (int line = 0; line < Lines; line++)
        {
            foreach (SimulatedClient client in clients)
            {
                client.Send("a line of text\n"u8);
            }

            _network.Run(_network.Now + TimeSpan.FromSeconds(20));
            Assert.Equal(Clients, listener.Ledger.Read().ConnectionsOpen);
        }

        foreach (SimulatedClient client in clients)
        {
            client.End();
        }

        _network.RunUntilIdle();
        Assert.All(clients, static client => Assert.Equal(Lines * "A LINE OF TEXT\n".Length, client.Received.Length));
        Assert.Equal(Clients, listener.Ledger.Read().Closed(CloseReason.Completed));
        Assert.Equal(0, listener.RentedBytes);
        output.WriteLine($"{Clients} connections, {Clients * Lines} lines, {_network.Now.TotalSeconds:0} s of virtual time in "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:0.00} s");
    }

    private SimulatedListener Listen(SimulatedServerOptions options) =>
        _network.ListenStream(_server, ClassicServices.CapitalizeAscii, options);

    private SimulatedClient[] ConnectInTurn(int count)
    {
        SimulatedClient[] clients = new SimulatedClient[count];
        for (int i = 0; i < count; i++)
        {
            clients[i] = Connect(i);
            _network.Run(_network.Now + TimeSpan.FromMilliseconds(20));
        }

        return clients;
    }

    private SimulatedClient Connect(int host, ushort port = 50_000) =>
        _network.ConnectStream(PeerAddress.IPv4(0x0a000100 + (uint)host, port), _server);
}
