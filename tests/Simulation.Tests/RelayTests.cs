using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A relay between simulated hosts, with slow peers, bad links, resets and upstreams that are not there.</summary>
public sealed class RelayTests
{
    private static readonly PeerAddress _relay = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _upstream = PeerAddress.IPv4(0x0a000002, 7);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000003, 50_000);
    private static readonly Endpoint _to = Endpoint.Parse("tcp://10.0.0.2:7");
    private static readonly Endpoint _nobody = Endpoint.Parse("tcp://10.0.0.9:7");
    /// <summary>Over a bad link a first byte may take longer than the minute that it has by default.</summary>
    private static readonly StreamLimits _patient = StreamLimits.Default with
    {
        IdleTimeout = TimeSpan.FromHours(1), FirstByteTimeout = Timeout.InfiniteTimeSpan,
    };

    [Fact]
    public void Through_200_networks_with_slow_peers_and_bad_links_nothing_is_lost_doubled_or_reordered() =>
        Simulation.RunSeeds(200, Visit);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8723937793592490167)]
    public void Nor_with_these_seeds(ulong seed) => Simulation.Run(seed, Visit);

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        static ulong Trace(ulong seed)
        {
            SimulatedNetwork network = new(seed);
            Visit(network);
            return network.TraceHash;
        }

        Assert.Equal(Trace(7), Trace(7));
        Assert.NotEqual(Trace(7), Trace(8));
    }

    [Fact]
    public void Where_nobody_listens_the_next_upstream_is_tried_and_if_there_is_none_the_client_is_reset()
    {
        SimulatedNetwork network = new(1);
        network.ListenStream(_upstream, ClassicServices.Echo);
        SimulatedListener relay = network.ListenStream(_relay, Relay.To(_nobody, _to));
        SimulatedClient client = network.ConnectStream(_client, _relay);
        client.Send("hello"u8);
        network.Run(TimeSpan.FromSeconds(1));
        Assert.True(client.Received.SequenceEqual("hello"u8));
        Assert.Equal((1, 1), (relay.Ledger.Read().ConnectFailures, relay.Ledger.Read().ConnectionsConnected));

        SimulatedListener alone = network.ListenStream(PeerAddress.IPv4(0x0a000004, 7000), Relay.To(_nobody));
        SimulatedClient reset = network.ConnectStream(_client, PeerAddress.IPv4(0x0a000004, 7000));
        network.Run(TimeSpan.FromSeconds(2));
        Assert.Equal(ConnectionFailure.Reset, reset.Failure);
        Assert.Equal(0, alone.Ledger.Read().ConnectionsOpen);
    }

    [Fact]
    public void An_upstream_that_does_not_answer_is_given_up_after_the_connect_time_out()
    {
        SimulatedNetwork network = new(2);
        network.ListenStream(_upstream, ClassicServices.Echo);
        network.Partition(network.Host(_relay), network.Host(PeerAddress.IPv4(0x0a000009, 0)));
        SimulatedListener relay = network.ListenStream(
            _relay, Relay.To([_nobody, _to], new RelayOptions { ConnectTimeout = TimeSpan.FromSeconds(3) }));
        SimulatedClient client = network.ConnectStream(_client, _relay);
        client.Send("hello"u8);
        network.Run(TimeSpan.FromSeconds(2.9));
        Assert.Equal(0, client.Received.Length);
        network.Run(TimeSpan.FromSeconds(3.5));
        Assert.True(client.Received.SequenceEqual("hello"u8));
        Assert.Equal(1, relay.Ledger.Read().ConnectFailures);
    }

    [Fact]
    public void An_upstream_that_has_failed_is_tried_behind_the_others_for_a_while_and_then_first_again()
    {
        SimulatedNetwork network = new(3);
        network.ListenStream(_upstream, ClassicServices.Echo);
        network.Partition(network.Host(_relay), network.Host(PeerAddress.IPv4(0x0a000009, 0)));
        SimulatedListener relay = network.ListenStream(
            _relay, Relay.To([_nobody, _to], new RelayOptions { ConnectTimeout = TimeSpan.FromSeconds(3) }));
        Assert.Equal((false, true), Answers(0, TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(1)));
        Assert.Equal((true, true), Answers(1, TimeSpan.FromSeconds(1), TimeSpan.Zero));
        Assert.Equal(1, relay.Ledger.Read().ConnectFailures);
        network.Run(network.Now + TimeSpan.FromSeconds(5));
        Assert.Equal((false, true), Answers(2, TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(1)));
        Assert.Equal(2, relay.Ledger.Read().ConnectFailures);

        (bool Soon, bool Later) Answers(ushort number, TimeSpan soon, TimeSpan later)
        {
            SimulatedClient client = network.ConnectStream(PeerAddress.IPv4(0x0a000003, (ushort)(51_000 + number)), _relay);
            client.Send("hello"u8);
            network.Run(network.Now + soon);
            bool first = client.Received.Length > 0;
            network.Run(network.Now + later);
            return (first, client.Received.SequenceEqual("hello"u8));
        }
    }

    [Theory]
    [InlineData("tcp://*:80")]
    [InlineData("tcp://localhost:0")]
    [InlineData("udp://localhost:80")]
    public void What_is_no_place_to_connect_to_is_refused_as_an_upstream(string upstream)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Relay.To(_to, upstream));
        Assert.Contains(upstream, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_drained_relay_ends_when_its_client_has_its_answer()
    {
        SimulatedNetwork network = new(3);
        network.ListenStream(_upstream, ClassicServices.Echo);
        SimulatedListener relay = network.ListenStream(_relay, Relay.To(_to));
        SimulatedClient client = network.ConnectStream(_client, _relay);
        network.Run(TimeSpan.FromSeconds(1));
        relay.Drain(TimeSpan.FromSeconds(10));
        client.Send("hello"u8);
        client.End();
        network.Run(TimeSpan.FromSeconds(5));
        Assert.True(client.Received.SequenceEqual("hello"u8));
        Assert.True(client.ServerEnded);
        Assert.True(relay.IsDrained);
        Assert.Equal(0, relay.RentedBytes);
    }

    private static void Visit(SimulatedNetwork network)
    {
        SimulatedListener upstream = network.ListenStream(_upstream, ClassicServices.Echo with { StreamLimits = _patient });
        bool isNarrow = network.Random.Next(3) == 0;
        RelayOptions options = new()
        {
            // A bad link may lose four SYNs in a row, and that is no loss of the relay's.
            BufferBytes = 1 + network.Random.Next(isNarrow ? 100 : 100_000), ConnectTimeout = TimeSpan.FromMinutes(10),
        };
        SimulatedListener relay = network.ListenStream(_relay, Relay.To([_to], options) with { StreamLimits = _patient });
        if (network.Random.Next(3) == 0)
        {
            network.DefaultLink = network.DefaultLink with { Loss = 0.05, Mtu = 200 };
        }

        SimulatedClient client = network.ConnectStream(_client, _relay);
        byte[] sent = new byte[network.Random.Next(isNarrow ? 5000 : 100_000)];
        network.Random.NextBytes(sent);
        client.Send(sent);
        bool resets = network.Random.Next(4) == 0;
        client.ReadBytesPerSecond = network.Random.Next(2) == 0 ? 0 : 20_000 + network.Random.Next(100_000);
        client.SendBytesPerSecond = network.Random.Next(2) == 0 ? 0 : 20_000 + network.Random.Next(100_000);
        if (resets)
        {
            client.ResetAfterReceiving(network.Random.Next(sent.Length + 1));
        }

        client.End();
        network.RunUntilIdle();
        Assert.True(sent.AsSpan().StartsWith(client.Received), "what came back is not what was sent");
        Assert.Equal(resets ? client.Received.Length : sent.Length, client.Received.Length);
        Assert.True(resets || client.ServerEnded, "no end came through");
        Assert.Equal((0, 0), (relay.Ledger.Read().ConnectionsOpen, upstream.Ledger.Read().ConnectionsOpen));
        Assert.Equal((0, 0), (relay.RentedBytes, relay.OutgoingConnections));
        Assert.Null(relay.Fault);
    }
}
