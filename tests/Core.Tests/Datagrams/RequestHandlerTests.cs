using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>The client's side of a request/response protocol: each request that was taken has one outcome, and frees its place.</summary>
public sealed class RequestHandlerTests
{
    private static readonly PeerAddress _local = PeerAddress.IPv4(0x7f000001, 7);
    private static readonly PeerAddress _peer = PeerAddress.IPv4(0x7f000001, 40_000);

    private readonly CountedBell _bell = new();
    private readonly Asking _handler = new();
    private readonly List<RequestOutcome<string>> _outcomes = [];
    private readonly DatagramSession _session;

    public RequestHandlerTests() => _session = new(_handler, DatagramLimits.Default, new Ledger(), _bell);

    [Fact]
    public void What_is_asked_before_the_socket_is_open_is_sent_when_it_is()
    {
        Assert.True(_handler.TryAsk("a", _outcomes.Add, out _));
        Assert.Equal(0, _bell.Rings);
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.Equal(["a"], _handler.Sent);
    }

    [Fact]
    public void What_is_asked_afterwards_rings_and_is_sent_in_the_bells_turn()
    {
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.True(_handler.TryAsk("a", _outcomes.Add, out _));
        Assert.Equal(1, _bell.Rings);
        Assert.Empty(_handler.Sent);
        _session.Ring(TimeSpan.Zero, default);
        Assert.Equal(["a"], _handler.Sent);
    }

    [Fact]
    public void Anything_that_comes_from_the_peer_is_heard()
    {
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.False(_handler.HasHeard);
        Hear("nothing that was asked");
        Assert.True(_handler.HasHeard);
        Assert.Empty(_outcomes);
    }

    [Fact]
    public void As_many_as_allowed_wait_at_once_and_each_outcome_makes_room_for_one()
    {
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.True(_handler.TryAsk("a", _outcomes.Add, out long first));
        Assert.True(_handler.TryAsk("b", _outcomes.Add, out _));
        Assert.False(_handler.TryAsk("c", _outcomes.Add, out _));
        Assert.False(_handler.IsIdle);
        _session.Ring(TimeSpan.Zero, default);
        Assert.Equal(["a", "b"], _handler.Sent);
        Hear($"{first}");
        Assert.Equal($"{first}", Assert.Single(_outcomes).Response);
        Assert.True(_handler.TryAsk("d", _outcomes.Add, out _));
        Assert.False(_handler.TryAsk("e", _outcomes.Add, out _));
    }

    [Fact]
    public void A_request_that_is_given_up_is_told_to_nobody_and_makes_room()
    {
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.True(_handler.TryAsk("a", _outcomes.Add, out long id));
        _session.Ring(TimeSpan.Zero, default);
        _handler.Cancel(id);
        Assert.Equal(2, _bell.Rings);
        Assert.False(_handler.IsIdle);
        _session.Ring(TimeSpan.Zero, default);
        Assert.Equal([id], _handler.Cancelled);
        Assert.True(_handler.IsIdle);
        Hear($"{id}");
        Assert.Empty(_outcomes);
        _handler.Cancel(id);
        _session.Ring(TimeSpan.Zero, default);
        Assert.Equal([id], _handler.Cancelled);
        Assert.True(_handler.IsIdle);
    }

    [Fact]
    public void A_peer_that_cannot_be_reached_fails_what_was_sent()
    {
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.True(_handler.TryAsk("a", _outcomes.Add, out long id));
        _session.Ring(TimeSpan.Zero, default);
        _session.Unreachable(_peer, TimeSpan.Zero, default);
        Assert.Equal(RequestFailure.Unreachable, Assert.Single(_outcomes).Failure);
        Assert.Equal([id], _handler.Cancelled);
        Assert.True(_handler.IsIdle);
    }

    [Fact]
    public void The_socket_s_end_fails_what_was_sent_what_waits_and_what_comes_later()
    {
        _session.Opened(_local, TimeSpan.Zero, default);
        Assert.True(_handler.TryAsk("sent", _outcomes.Add, out _));
        _session.Ring(TimeSpan.Zero, default);
        Assert.True(_handler.TryAsk("waits", _outcomes.Add, out _));
        _session.Closed(CloseReason.Completed);
        Assert.True(_handler.TryAsk("later", _outcomes.Add, out _));
        Assert.Equal(
            [RequestFailure.Closed, RequestFailure.Closed, RequestFailure.Closed], _outcomes.Select(static outcome => outcome.Failure));
        Assert.True(_handler.IsIdle);
    }

    private void Hear(string text) =>
        _session.Received(System.Text.Encoding.UTF8.GetBytes(text), _peer, TimeSpan.Zero, default);

    /// <summary>A request is answered by its number.</summary>
    private sealed class Asking() : RequestHandler<string, string>(maxRequests: 2)
    {
        public List<string> Sent { get; } = [];

        public List<long> Cancelled { get; } = [];

        protected override void Check(string request)
        {
        }

        protected override void OnRequest(long id, string request, DatagramTurn turn) => Sent.Add(request);

        protected override void OnCancelled(long id, DatagramTurn turn) => Cancelled.Add(id);

        protected override void OnResponse(ReadOnlySpan<byte> datagram, DatagramTurn turn)
        {
            string text = System.Text.Encoding.UTF8.GetString(datagram);
            if (long.TryParse(text, out long id))
            {
                Complete(id, new RequestOutcome<string>(text));
            }
        }
    }

    private sealed class CountedBell : Bell
    {
        public int Rings { get; private set; }

        public override void Ring() => Rings++;
    }
}
