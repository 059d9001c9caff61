using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>What CoAP servers have refused, forgotten and lost comes to the ledger, once each.</summary>
public sealed class CoapCountsTests
{
    private static readonly PeerAddress _other = PeerAddress.IPv4(0x7f000001, 40_001);
    private static readonly string _long = new('x', 100);

    /// <summary>Writes the datagrams; what its own server makes of them is of no interest.</summary>
    private readonly CoapPeer _scribe = new(new CoapServer(CoapServerLimits.Default, TestSocket.Of(1)), CoapPeer.Near);

    [Fact]
    public void The_ledger_has_the_sum_of_its_sockets()
    {
        Ledger ledger = new(CoapServerCounts.Counters);
        (CoapServer first, CoapServer second) = (NewServer(), NewServer());
        LoseOneOfEach(first, ledger);
        CoapServerCounts once = CoapServerCounts.From(ledger.Read());
        Assert.Equal(first.Counts, once);
        Assert.True(once.EvictedExchanges > 0);
        Assert.Equal((1, 1, 1, 1, 1), (
            once.Challenges, once.RefusedBodies, once.EvictedBodies, once.TimedOutBodies, once.UnacknowledgedAnswers));

        LoseOneOfEach(second, ledger);
        Assert.Equal(first.Counts, second.Counts);
        CoapServerCounts twice = CoapServerCounts.From(ledger.Read());
        Assert.Equal(once.EvictedExchanges * 2, twice.EvictedExchanges);
        Assert.Equal((2, 2, 2, 2, 2), (
            twice.Challenges, twice.RefusedBodies, twice.EvictedBodies, twice.TimedOutBodies, twice.UnacknowledgedAnswers));
        Assert.Equal(0, ledger.Read().Errors);
    }

    [Fact]
    public void With_room_for_two_each_request_more_forgets_one_and_is_counted_though_its_resource_throws()
    {
        Ledger ledger = new(CoapServerCounts.Counters);
        CoapServer server = NewServer();
        server.Add("throws", static (_, _) => throw new InvalidOperationException());
        DatagramSession session = new(new CoapHandler(server), DatagramLimits.Default, ledger);
        foreach (long evicted in new[] { 0, 0, 1, 2 })
        {
            Receive(session, CoapPeer.Near, "throws", "");
            Assert.Equal(evicted, CoapServerCounts.From(ledger.Read()).EvictedExchanges);
        }

        Assert.Equal(4, ledger.Read().DatagramFaults);
    }

    [Fact]
    public void What_had_been_counted_before_the_socket_was_served_is_not_the_ledgers()
    {
        Ledger ledger = new(CoapServerCounts.Counters);
        CoapServer server = NewServer();
        CoapPeer another = new(server, PeerAddress.IPv4(0x0a000001, 40_001));
        Assert.Equal("ACK 4.01 echo", another.Post("slow", "a body so long that an Echo value fits"));
        DatagramSession session = new(new CoapHandler(server), DatagramLimits.Default, ledger);
        Receive(session, CoapPeer.Stranger, "slow", "another one");
        Assert.Equal((2, 1), ((int)server.Counts.Challenges, (int)CoapServerCounts.From(ledger.Read()).Challenges));
    }

    private void LoseOneOfEach(CoapServer server, Ledger ledger)
    {
        DatagramSession session = new(new CoapHandler(server), DatagramLimits.Default, ledger);
        Receive(session, CoapPeer.Stranger, "slow", "hello");
        Receive(session, CoapPeer.Near, "slow", "hello");
        Receive(session, _other, "slow", _long, CoapPeer.Block1(0, true, 0), (CoapOptionNumber.Size1, CoapPeer.Numeric(uint.MaxValue)));
        Receive(session, CoapPeer.Near, "slow", _long, CoapPeer.Block1(0, true, 0), CoapPeer.Tag(1));
        Receive(session, CoapPeer.Near, "slow", _long, CoapPeer.Block1(0, true, 0), CoapPeer.Tag(2));
        while (session.Deadline != TimeSpan.MaxValue)
        {
            session.Tick(session.Deadline, DateTimeOffset.UnixEpoch);
            session.Outbox.Clear();
        }
    }

    private void Receive(DatagramSession session, PeerAddress from, string path, string body, params (int Number, byte[] Value)[] options)
    {
        string piece = options.Length > 0 ? body[..CoapBlock.MinSize] : body;
        _scribe.Post(path, piece, options);
        session.Received(_scribe.Sent, from, default, DateTimeOffset.UnixEpoch);
        session.Outbox.Clear();
        session.Fault = null;
    }

    private static CoapServer NewServer()
    {
        CoapServerLimits limits = CoapServerLimits.Default with { MaxExchanges = 2, MaxBodies = 1, MaxBodiesPerPeer = 1 };
        CoapServer server = new(limits, TestSocket.Of(1));
        server.Add("slow", new CoapResource(static (_, _) => CoapCode.Changed) { IsSlow = true });
        return server;
    }
}
