using System.Text;
using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Streams that are lost, cut, slow or reset, as TCP under Linux would have it.</summary>
public sealed class StreamFaultTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000002, 50_000);
    private static readonly byte[] _letters = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("abcdefghij", 100)));
    private readonly SimulatedNetwork _network = new(21);

    [Fact]
    public void A_client_is_refused_where_nobody_listens_and_waits_for_131_seconds_where_nobody_is_reached()
    {
        SimulatedClient refused = _network.ConnectStream(_client, _server);
        _network.RunUntilIdle();
        Assert.Equal(ConnectionFailure.Refused, refused.Failure);
        Assert.True(refused.WasReset);
        Assert.True(_network.Now < TimeSpan.FromSeconds(1));

        _network.Partition(Server, Client);
        TimeSpan began = _network.Now;
        SimulatedClient parted = _network.ConnectStream(_client, _server);
        _network.RunUntilIdle();
        Assert.Equal(ConnectionFailure.TimedOut, parted.Failure);
        Assert.Equal(TimeSpan.FromSeconds(131), _network.Now - began);
    }

    [Fact]
    public void A_stream_goes_on_when_a_partition_is_healed()
    {
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo);
        SimulatedClient client = _network.ConnectStream(_client, _server);
        client.Send("before "u8);
        _network.Run(TimeSpan.FromSeconds(1));
        _network.Partition(Server, Client);
        client.Send("during"u8);
        _network.Run(TimeSpan.FromSeconds(100));
        Assert.Equal("before ", Text(client));
        _network.Heal(Server, Client);
        client.End();
        _network.RunUntilIdle();
        Assert.Equal("before during", Text(client));
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.Completed));
    }

    [Fact]
    public void A_stream_that_is_never_healed_fails_after_15_minutes_at_the_side_that_sends()
    {
        StreamLimits patient = StreamLimits.Default with { FirstByteTimeout = Timeout.InfiniteTimeSpan };
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo with { StreamLimits = patient });
        SimulatedClient client = _network.ConnectStream(_client, _server);
        _network.Run(TimeSpan.FromSeconds(1));
        _network.Partition(Server, Client);
        TimeSpan failed = default;
        client.Changed = () => failed = _network.Now;
        client.Send("unheard"u8);
        _network.RunUntilIdle();
        Assert.Equal(ConnectionFailure.TimedOut, client.Failure);
        Assert.Equal(TimeSpan.FromSeconds(1 + 924.6), failed);
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.IdleTimeout));
    }

    [Fact]
    public void A_server_whose_answer_is_never_taken_learns_that_its_transport_failed()
    {
        StreamLimits patient = StreamLimits.Default with { IdleTimeout = Timeout.InfiniteTimeSpan };
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo with { StreamLimits = patient });
        SimulatedClient client = _network.ConnectStream(_client, _server);
        _network.Run(TimeSpan.FromSeconds(1));
        client.Send("question"u8);
        _network.Link(Server, Client).IsCut = true;
        _network.RunUntilIdle();
        Assert.Empty(client.Received.ToArray());
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.TransportFailed));
        Assert.Equal(0, listener.RentedBytes);
    }

    [Fact]
    public void A_reset_comes_at_the_byte_asked_for_and_not_one_later()
    {
        Simulation.RunSeeds(200, static network =>
        {
            int at = network.Random.Next(_letters.Length + 1);
            List<byte> taken = [];
            SimulatedListener listener = network.ListenStream(_server, Takes(taken));
            SimulatedClient client = network.ConnectStream(_client, _server);
            client.ResetAfterSending(at);
            client.Send(_letters);
            network.RunUntilIdle();
            Assert.Equal(at, client.SentBytes);
            Assert.True(_letters.AsSpan(0, at).StartsWith(taken.ToArray()));
            Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.PeerReset));
        });
        Simulation.RunSeeds(200, static network =>
        {
            int at = network.Random.Next(_letters.Length);
            network.ListenStream(_server, ClassicServices.Echo);
            SimulatedClient client = network.ConnectStream(_client, _server);
            client.ResetAfterReceiving(at);
            client.Send(_letters);
            client.End();
            network.RunUntilIdle();
            Assert.Equal(_letters[..at], client.Received.ToArray());
        });
    }

    [Fact]
    public void What_comes_after_close_is_answered_with_a_reset()
    {
        // It answers one byte and closes; the peer's end is not waited for.
        Service once = new("once") { NewStreamHandler = static _ => new ClosesAtOnce(), StreamLimits = Impatient };
        _network.ListenStream(_server, once);
        SimulatedClient client = _network.ConnectStream(_client, _server);
        client.Send("a"u8);
        _network.Run(TimeSpan.FromSeconds(1));
        Assert.True(client.ServerEnded);
        Assert.Equal("a", Text(client));
        Assert.Equal(ConnectionFailure.None, client.Failure);
        client.Send("b"u8);
        _network.Run(TimeSpan.FromSeconds(2));
        Assert.Equal(ConnectionFailure.Reset, client.Failure);
    }

    [Fact]
    public void A_client_that_closes_without_reading_resets_the_server()
    {
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo);
        SimulatedClient client = _network.ConnectStream(_client, _server);
        client.StopReading();
        client.Send("answer me"u8);
        _network.Run(TimeSpan.FromSeconds(1));
        client.Close();
        _network.RunUntilIdle();
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.PeerReset));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reset_that_is_lost_leaves_the_server_with_half_a_connection_until_it_is_tired_of_it(bool isOnItsWay)
    {
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo);
        SimulatedClient client = _network.ConnectStream(_client, _server);
        client.Send("hello"u8);
        _network.Run(TimeSpan.FromSeconds(1));
        if (isOnItsWay)
        {
            client.Reset();
            _network.Partition(Server, Client);
        }
        else
        {
            _network.Partition(Server, Client);
            client.Reset();
        }

        _network.Run(TimeSpan.FromSeconds(2));
        _network.Heal(Server, Client);
        Assert.Equal(1, listener.Ledger.Read().ConnectionsOpen);
        _network.RunUntilIdle();
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.IdleTimeout));
    }

    [Fact]
    public void Whoever_missed_a_reset_gets_another_when_it_sends()
    {
        Service aborts = new("aborts") { NewStreamHandler = static _ => new Aborts() };
        SimulatedListener listener = _network.ListenStream(_server, aborts);
        SimulatedClient client = _network.ConnectStream(_client, _server);
        _network.Run(TimeSpan.FromSeconds(1));
        client.Send("abort"u8);
        _network.Link(Server, Client).IsCut = true;
        _network.Run(TimeSpan.FromSeconds(2));
        _network.Link(Server, Client).IsCut = false;
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.HandlerAborted));
        Assert.Equal(ConnectionFailure.None, client.Failure);
        client.End();
        _network.Run(TimeSpan.FromSeconds(3));
        Assert.Equal(ConnectionFailure.Reset, client.Failure);
    }

    [Fact]
    public void A_damaged_segment_is_lost_as_its_checksum_tells()
    {
        _network.ListenStream(_server, ClassicServices.Echo);
        _network.Link(Client, Server).Options = new LinkOptions { Corrupt = 1 };
        SimulatedClient client = _network.ConnectStream(_client, _server);
        _network.RunUntilIdle();
        Assert.Equal(ConnectionFailure.TimedOut, client.Failure);
    }

    [Fact]
    public void A_link_has_its_own_latency_for_streams()
    {
        _network.ListenStream(_server, ClassicServices.Echo);
        _network.Link(Client, Server).Options = new LinkOptions { Delay = TimeSpan.FromMilliseconds(300) };
        _network.Link(Server, Client).Options = new LinkOptions { Delay = TimeSpan.FromMilliseconds(200) };
        List<TimeSpan> changes = [];
        SimulatedClient client = _network.ConnectStream(_client, _server);
        client.Changed = () => changes.Add(_network.Now);
        client.Send("x"u8);
        _network.Run(TimeSpan.FromSeconds(5));

        // Connected after a round trip, answered after another.
        Assert.Equal([TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(1000)], changes);
    }

    private static StreamLimits Impatient => StreamLimits.Default with { CloseTimeout = TimeSpan.Zero };

    private SimulatedHost Server => _network.Host(_server);

    private SimulatedHost Client => _network.Host(_client);

    private static string Text(SimulatedClient client) => Encoding.UTF8.GetString(client.Received);

    private static Service Takes(List<byte> taken) => new("takes") { NewStreamHandler = _ => new Taker(taken) };

    private sealed class Taker(List<byte> taken) : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            taken.AddRange(input);
            return Step.More(input.Length);
        }
    }

    private sealed class Aborts : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => new(input.Length, Next.Abort);
    }

    private sealed class ClosesAtOnce : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(input[..1]);
            return new Step(input.Length, Next.Close);
        }
    }
}
