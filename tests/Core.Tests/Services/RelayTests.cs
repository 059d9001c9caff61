using System.Net;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A relay between two connections in memory, whose streams chance cuts and whose peers do what they like.</summary>
public sealed class RelayTests
{
    private static readonly Endpoint _first = Endpoint.Parse("tcp://10.0.0.2:7");
    private static readonly Endpoint _second = Endpoint.Parse("unix:///run/second");
    private static readonly ConnectFailure _refused = new("ECONNREFUSED", "connect: refused (ECONNREFUSED)");

    [Fact]
    public void What_either_peer_sends_comes_out_at_the_other_whole_and_in_order_and_both_ends_pass_through()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            RelayedPair pair = new(seed, new RelayOptions { BufferBytes = 1 + random.Next(random.Next(2) == 0 ? 16 : 100_000) }, _first);
            byte[] up = Bytes(random);
            byte[] down = Bytes(random);
            int upSent = 0;
            int downSent = 0;
            bool connected = false;
            while (upSent < up.Length || downSent < down.Length || !connected)
            {
                connected = connected || (random.Next(3) == 0 && pair.Connect());
                upSent += Send(pair.Client, up, upSent, random);
                downSent += connected ? Send(pair.Upstream, down, downSent, random) : 0;
                pair.Stall(random);
                pair.Step(random.Next(20));
            }

            pair.Resume();
            bool clientFirst = random.Next(2) == 0;
            (clientFirst ? pair.Client : pair.Upstream).PeerEnds();
            pair.Run();
            Assert.True((clientFirst ? pair.Upstream : pair.Client).ServerFinished, $"seed {seed}: no half-close");
            Assert.Null(pair.Client.Ended);
            Assert.Null(pair.Upstream.Ended);
            (clientFirst ? pair.Upstream : pair.Client).PeerEnds();
            pair.Run();
            Assert.True(pair.Upstream.PeerReceived.SequenceEqual(up), $"seed {seed}: up");
            Assert.True(pair.Client.PeerReceived.SequenceEqual(down), $"seed {seed}: down");
            Assert.Equal((CloseReason.Completed, CloseReason.Completed), (pair.Client.Ended, pair.Upstream.Ended));
            Assert.Equal(0, pair.Client.RentedBytes + pair.Upstream.RentedBytes);
        }
    }

    [Fact]
    public void After_a_half_close_the_other_direction_goes_on()
    {
        RelayedPair pair = new(1, RelayOptions.Default, _first);
        pair.Client.PeerSends("question"u8);
        pair.Client.PeerEnds();
        pair.Run();
        Assert.True(pair.Connect());
        pair.Run();
        Assert.True(pair.Upstream.PeerReceived.SequenceEqual("question"u8));
        Assert.True(pair.Upstream.ServerFinished);
        pair.Upstream.PeerSends("a long answer"u8);
        pair.Run();
        Assert.True(pair.Client.PeerReceived.SequenceEqual("a long answer"u8));
    }

    [Fact]
    public void A_reset_of_either_peer_resets_the_other_and_what_is_received_is_a_beginning_of_what_was_sent()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            RelayedPair pair = new(seed, new RelayOptions { BufferBytes = 1 + random.Next(1000) }, _first);
            Assert.True(pair.Connect());
            byte[] up = Bytes(random);
            pair.Client.PeerSends(up);
            pair.Upstream.PeerSends(up);
            pair.Stall(random);
            pair.Step(random.Next(50));
            bool client = random.Next(2) == 0;
            (client ? pair.Client : pair.Upstream).PeerResets();
            pair.Run();

            // What was received before the reset comes first, so a peer that takes nothing is reset when it takes that, or by a time-out.
            pair.Resume();
            pair.Run();
            InMemoryConnection other = client ? pair.Upstream : pair.Client;
            Assert.True(other.WasReset, $"seed {seed}");
            Assert.Equal(CloseReason.HandlerAborted, other.Ended);
            Assert.True(up.AsSpan().StartsWith(other.PeerReceived), $"seed {seed}");
        }
    }

    [Fact]
    public void A_reset_behind_an_answer_that_has_ended_resets_the_other_too()
    {
        RelayedPair pair = new(6, RelayOptions.Default, _first);
        Assert.True(pair.Connect());
        pair.Upstream.PeerSends("answer"u8);
        pair.Upstream.PeerEnds();
        pair.Run();
        Assert.True(pair.Client.ServerFinished);
        pair.Upstream.PeerResets();
        pair.Run();
        Assert.Equal(CloseReason.HandlerAborted, pair.Client.Ended);
        Assert.True(pair.Client.PeerReceived.SequenceEqual("answer"u8));
    }

    [Fact]
    public void While_one_peer_does_not_read_no_more_than_the_buffers_is_received_from_the_other()
    {
        RelayedPair pair = new(3, new RelayOptions { BufferBytes = 10_000 }, _first);
        Assert.True(pair.Connect());
        pair.Upstream.LargestSend = 0;
        pair.Client.PeerSends(new byte[4_000_000]);
        pair.Run();
        Assert.Equal(Want.None, pair.Client.Wants & Want.Receive);

        // The queue, one output beside it, and one receive that did not fit.
        Assert.InRange(pair.Ledger.Read().BytesReceived, 10_000, 10_000 + (2 * 64 * 1024) + 10_000);
        pair.Upstream.LargestSend = 64 * 1024;
        pair.Run();
        Assert.Equal(4_000_000, pair.Upstream.PeerReceived.Length);
    }

    [Fact]
    public void Upstreams_are_tried_in_turn_until_one_is_connected()
    {
        RelayedPair pair = new(4, RelayOptions.Default, _first, _second);
        pair.Client.PeerSends("early"u8);
        pair.Run();
        ConnectRequest first = pair.TakeRequest()!;
        Assert.Equal(_first, first.Endpoint);
        Assert.Null(first.Fail(_refused, pair.Ledger));
        Assert.Same(_refused, first.Outgoing.Failure);
        pair.Run();
        ConnectRequest second = pair.TakeRequest()!;
        Assert.Equal(_second, second.Endpoint);
        pair.Connect(second);
        pair.Run();
        Assert.True(pair.Upstream.PeerReceived.SequenceEqual("early"u8));
        LedgerSnapshot counts = pair.Ledger.Read();
        Assert.Equal((1, 1, 1, 2), (counts.ConnectionsOpened, counts.ConnectionsConnected, counts.ConnectFailures, counts.ConnectionsOpen));
    }

    [Fact]
    public void If_no_upstream_can_be_connected_the_client_is_reset()
    {
        RelayedPair pair = new(5, RelayOptions.Default, _first);
        pair.Run();
        pair.TakeRequest()!.Fail(_refused, pair.Ledger);
        pair.Run();
        Assert.True(pair.Client.WasReset);
        Assert.Null(pair.TakeRequest());
    }

    [Fact]
    public void A_client_that_goes_while_the_upstream_is_connecting_cancels_that_and_one_connected_all_the_same_is_reset()
    {
        RelayedPair pair = new(6, RelayOptions.Default, _first);
        pair.Run();
        ConnectRequest request = pair.TakeRequest()!;
        pair.Client.PeerResets();
        pair.Run();
        Assert.Equal(CloseReason.PeerReset, pair.Client.Ended);
        Assert.True(request.IsCancelled);
        pair.Connect(request);
        pair.Run();
        Assert.True(pair.Upstream.WasReset);
    }

    [Fact]
    public void A_relay_on_which_nothing_ever_moves_ends_in_order_on_both_sides_at_the_first_bytes_timeout()
    {
        RelayedPair pair = new(7, RelayOptions.Default, _first);
        Assert.True(pair.Connect());
        pair.Run();
        pair.Client.Advance(TimeSpan.FromMinutes(1));
        pair.Client.PeerEnds();
        pair.Run();
        pair.Upstream.PeerEnds();
        pair.Run();
        Assert.Equal((CloseReason.FirstByteTimeout, false), (pair.Client.Ended, pair.Client.WasReset));
        Assert.Equal((CloseReason.Completed, false), (pair.Upstream.Ended, pair.Upstream.WasReset));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_upstream_is_told_first_who_the_client_is(int version)
    {
        RelayedPair pair = new(9, new RelayOptions { ProxyVersion = version }, _first);
        pair.Client.PeerSends("hello"u8);
        pair.Run();
        Assert.True(pair.Connect());
        pair.Run();
        System.Buffers.ArrayBufferWriter<byte> expected = new();
        ProxyHeader header = new()
        {
            Version = version, Source = InMemoryConnection.Info.Peer, Destination = InMemoryConnection.Info.Local,
        };
        header.Write(expected);
        System.Buffers.BuffersExtensions.Write(expected, "hello"u8);
        Assert.True(pair.Upstream.PeerReceived.SequenceEqual(expected.WrittenSpan));
        Assert.Throws<ArgumentOutOfRangeException>(static () => Relay.To([_first], new RelayOptions { ProxyVersion = 3 }));
    }

    /// <summary>What the first proxy named reaches the last server: the client, and the address that the client asked.</summary>
    [Theory]
    [InlineData(1, "203.0.113.7", "198.51.100.9")]
    [InlineData(2, "203.0.113.7", "198.51.100.9")]
    [InlineData(1, "2001:db8::7", "2001:db8::9")]
    [InlineData(2, "2001:db8::7", "2001:db8::9")]
    public void A_relay_behind_a_proxy_passes_on_both_addresses_that_it_named(int version, string source, string destination)
    {
        ProxyHeader named = new()
        {
            Version = version,
            Source = PeerAddress.From(new IPEndPoint(IPAddress.Parse(source), 1234)),
            Destination = PeerAddress.From(new IPEndPoint(IPAddress.Parse(destination), 443)),
        };
        System.Buffers.ArrayBufferWriter<byte> expected = new();
        named.Write(expected);
        System.Buffers.BuffersExtensions.Write(expected, "hello"u8);
        RelayedPair pair = new(
            10, new RelayOptions { ProxyVersion = version }, [ProxyProtocol.Accept([AddressRange.Parse("0.0.0.0/0")])], _first);
        pair.Client.PeerSends(expected.WrittenSpan);
        pair.Run();
        Assert.True(pair.Connect());
        pair.Run();
        Assert.True(pair.Upstream.PeerReceived.SequenceEqual(expected.WrittenSpan));
    }

    /// <summary>A health check of the first proxy has no client: then the connection is the proxy's own.</summary>
    [Fact]
    public void A_relay_behind_a_proxy_that_speaks_for_itself_names_the_proxy()
    {
        RelayedPair pair = new(
            11, new RelayOptions { ProxyVersion = 1 }, [ProxyProtocol.Accept([AddressRange.Parse("0.0.0.0/0")])], _first);
        pair.Client.PeerSends("PROXY UNKNOWN\r\nhello"u8);
        pair.Run();
        Assert.True(pair.Connect());
        pair.Run();
        System.Buffers.ArrayBufferWriter<byte> expected = new();
        ProxyHeader own = new() { Version = 1, Source = InMemoryConnection.Info.Peer, Destination = InMemoryConnection.Info.Local };
        own.Write(expected);
        System.Buffers.BuffersExtensions.Write(expected, "hello"u8);
        Assert.True(pair.Upstream.PeerReceived.SequenceEqual(expected.WrittenSpan));
    }

    /// <summary>Bytes in either direction count as life: only when both are still does the relay end, on both sides.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_relay_on_which_nothing_moves_any_more_ends_at_the_idle_timeout(bool clientSpeaks)
    {
        TimeSpan idle = StreamLimits.Default.IdleTimeout;
        RelayedPair pair = new(12, RelayOptions.Default, _first);
        Assert.True(pair.Connect());
        pair.Client.PeerSends("a"u8);
        pair.Run();
        for (int i = 0; i < 5; i++)
        {
            pair.Client.Advance(idle * 0.7);
            pair.Upstream.Advance(idle * 0.7);
            (clientSpeaks ? pair.Client : pair.Upstream).PeerSends("b"u8);
            pair.Run();
            Assert.Equal((null, null), (pair.Client.Ended, pair.Upstream.Ended));
        }

        pair.Client.Advance(idle * 1.1);
        pair.Upstream.Advance(idle * 1.1);
        pair.Run();
        pair.Client.PeerEnds();
        pair.Upstream.PeerEnds();
        pair.Run();
        Assert.Contains(CloseReason.IdleTimeout, new[] { pair.Client.Ended, pair.Upstream.Ended });
        Assert.NotNull(pair.Client.Ended);
        Assert.NotNull(pair.Upstream.Ended);
    }

    [Fact]
    public void A_drain_lets_a_relay_go_on_until_its_peers_end_it()
    {
        RelayedPair pair = new(8, RelayOptions.Default, _first);
        Assert.True(pair.Connect());
        pair.Client.PeerSends("a"u8);
        pair.Run();
        pair.Client.Drain();
        pair.Upstream.Drain();
        pair.Run();
        pair.Client.PeerSends("b"u8);
        pair.Client.PeerEnds();
        pair.Run();
        pair.Upstream.PeerSends("c"u8);
        pair.Upstream.PeerEnds();
        pair.Run();
        Assert.True(pair.Upstream.PeerReceived.SequenceEqual("ab"u8));
        Assert.True(pair.Client.PeerReceived.SequenceEqual("c"u8));
        Assert.Equal((CloseReason.Completed, CloseReason.Completed), (pair.Client.Ended, pair.Upstream.Ended));
    }

    [Fact]
    public void Upstreams_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentException>(static () => Relay.To());
        Assert.Throws<ArgumentException>(static () => Relay.To(Endpoint.Parse("udp://localhost:7")));
        Assert.Throws<ArgumentOutOfRangeException>(static () => Relay.To([_first], new RelayOptions { BufferBytes = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(static () => Relay.To([_first], new RelayOptions { ConnectTimeout = TimeSpan.Zero }));
    }

    private static byte[] Bytes(Random random)
    {
        byte[] bytes = new byte[random.Next(random.Next(4) == 0 ? 300_000 : 1000)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static int Send(InMemoryConnection connection, byte[] all, int sent, Random random)
    {
        int count = random.Next(Math.Min(all.Length - sent, 50_000) + 1);
        connection.PeerSends(all.AsSpan(sent, count));
        return count;
    }
}
