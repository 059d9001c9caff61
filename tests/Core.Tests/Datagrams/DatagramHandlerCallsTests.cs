using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>What a datagram handler hears beside datagrams: that its socket is open, its bell, its alarm, the drain, the end.</summary>
public sealed class DatagramHandlerCallsTests
{
    private static readonly PeerAddress _local = PeerAddress.IPv4(0x7f000001, 7);
    private static readonly PeerAddress _peer = PeerAddress.IPv4(0x7f000001, 40_000);
    private readonly Ledger _ledger = new();
    private readonly Scripted _handler = new();

    [Fact]
    public void Open_is_told_first_and_may_send_set_an_alarm_and_take_the_bell()
    {
        CountedBell bell = new();
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger, bell);
        _handler.Open = turn =>
        {
            Assert.Equal(_local, turn.Local);
            turn.Output.GetSpan(2)[..2].Fill((byte)'x');
            turn.Output.Advance(2);
            turn.SendTo(_peer);
            turn.Alarm = TimeSpan.FromSeconds(5);
            turn.Bell.Ring();
        };
        Assert.False(session.BellTaken);
        session.Opened(_local, TimeSpan.Zero, default);
        Assert.True(session.BellTaken);
        Assert.Equal((1, 1, TimeSpan.FromSeconds(5)), (bell.Rings, session.Outbox.Count, session.Deadline));
        Assert.Equal(_peer, session.Outbox[0].To);
    }

    [Fact]
    public void A_ring_lets_it_send_without_being_asked_and_count_requests()
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger, new CountedBell());
        _handler.Ring = turn =>
        {
            turn.SendTo(_peer);
            turn.CountRequests(3);
        };
        session.Ring(TimeSpan.Zero, default);
        Assert.Equal((1, 3), (session.Outbox.Count, (int)_ledger.Read().Requests));
    }

    [Fact]
    public void There_is_nobody_to_reply_to_in_the_turn_of_a_ring()
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger, new CountedBell());
        _handler.Ring = static turn => turn.Reply("x"u8);
        session.Ring(TimeSpan.Zero, default);
        Assert.IsType<InvalidOperationException>(session.Fault);
        Assert.Equal(0, session.Outbox.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_written_and_not_sent_in_one_turn_is_not_in_front_of_the_next_ones(bool throws)
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger, new CountedBell());
        _handler.Ring = turn =>
        {
            turn.Output.GetSpan(4)[..4].Fill((byte)'x');
            turn.Output.Advance(4);
            if (throws)
            {
                throw new InvalidOperationException("on purpose");
            }
        };
        session.Ring(TimeSpan.Zero, default);
        Assert.Equal(0, session.Outbox.Begun);
        _handler.Ring = static turn =>
        {
            turn.Output.GetSpan(1)[0] = (byte)'y';
            turn.Output.Advance(1);
            turn.SendTo(_peer);
        };
        session.Ring(TimeSpan.Zero, default);
        Assert.Equal("y"u8, session.Outbox[0].Bytes.Span);
    }

    [Fact]
    public void The_drain_is_told_once_and_waits_for_one_that_is_not_idle()
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger);
        int drains = 0;
        _handler.Drain = _ => drains++;
        _handler.Idle = false;
        session.Drain(TimeSpan.Zero, default);
        session.Drain(TimeSpan.Zero, default);
        Assert.Equal((1, false), (drains, session.IsIdle));
        _handler.Idle = true;
        Assert.True(session.IsIdle);
    }

    [Fact]
    public void The_end_is_told_once_and_a_fault_in_it_is_counted()
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger);
        List<CloseReason> reasons = [];
        _handler.Close = reason =>
        {
            reasons.Add(reason);
            throw new InvalidOperationException("on purpose");
        };
        session.Closed(CloseReason.DrainDeadline);
        session.Closed(CloseReason.Completed);
        Assert.Equal([CloseReason.DrainDeadline], reasons);
        Assert.Equal(1, _ledger.Read().DatagramFaults);
    }

    [Fact]
    public void An_unreachable_peer_is_told_with_its_address()
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger);
        session.Unreachable(_peer, TimeSpan.Zero, default);
        Assert.Equal([_peer], _handler.Unreachable);
    }

    [Fact]
    public void Further_sockets_are_asked_for_up_to_the_limit_and_counted_until_they_end()
    {
        DatagramSession session = new(_handler, DatagramLimits.Default with { MaxOpenedSockets = 2 }, _ledger);
        Scripted further = new();
        List<bool> opened = [];
        _handler.Ring = turn =>
        {
            opened.Add(turn.TryOpenDatagrams(further));
            opened.Add(turn.TryOpenDatagrams(_local, further));
            opened.Add(turn.TryOpenDatagrams(further));
        };
        session.Ring(TimeSpan.Zero, default);
        Assert.Equal([true, true, false], opened);
        Assert.True(session.HasOpenings);
        Assert.True(session.TryTakeOpening(out PeerAddress first, out DatagramHandler? firstHandler));
        Assert.True(session.TryTakeOpening(out PeerAddress second, out DatagramHandler? secondHandler));
        Assert.False(session.TryTakeOpening(out _, out _));
        Assert.Equal((default, _local), (first, second));
        Assert.Equal([further, further], [firstHandler, secondHandler]);
        Assert.False(session.IsIdle);
        session.OpenedSocketClosed();
        _handler.Ring = turn => Assert.True(turn.TryOpenDatagrams(further));
        session.Ring(TimeSpan.Zero, default);
        Assert.Null(session.Fault);
    }

    [Fact]
    public void A_handler_can_close_a_socket_that_was_opened_for_it_and_no_door()
    {
        _handler.Ring = static turn => turn.Close();
        DatagramSession opened = new(_handler, DatagramLimits.Default, _ledger) { MayClose = true };
        opened.Ring(TimeSpan.Zero, default);
        Assert.True(opened.IsClosing);
        DatagramSession door = new(_handler, DatagramLimits.Default, _ledger);
        door.Ring(TimeSpan.Zero, default);
        Assert.False(door.IsClosing);
        Assert.IsType<InvalidOperationException>(door.Fault);
    }

    [Theory]
    [InlineData(65_507, 1, 1)]
    [InlineData(65_508, 0, 1)]
    [InlineData(65_527, 0, 1)]
    [InlineData(65_528, 0, 0)]
    public void The_largest_answer_is_what_the_peers_family_can_carry(int bytes, int overIPv4, int overIPv6)
    {
        DatagramSession session = new(_handler, DatagramLimits.Default, _ledger);
        _handler.Ring = turn =>
        {
            foreach (PeerAddress peer in (PeerAddress[])[_peer, PeerAddress.IPv6(1, 40_000, 0)])
            {
                turn.Output.GetSpan(bytes);
                turn.Output.Advance(bytes);
                turn.SendTo(peer);
            }
        };
        session.Ring(TimeSpan.Zero, default);
        Assert.Equal(overIPv4 + overIPv6, session.Outbox.Count);
        Assert.Equal(2 - overIPv4 - overIPv6, _ledger.Read().Dropped(DatagramDrop.AnswerTooLarge));
    }

    private delegate void Turning(DatagramTurn turn);

    private sealed class Scripted : DatagramHandler
    {
        public Turning Open { get; set; } = static _ => { };

        public Turning Ring { get; set; } = static _ => { };

        public Turning Drain { get; set; } = static _ => { };

        public Action<CloseReason> Close { get; set; } = static _ => { };

        public bool Idle { get; set; } = true;

        public List<PeerAddress> Unreachable { get; } = [];

        public override bool IsIdle => Idle;

        public override void OnOpen(DatagramTurn turn) => Open(turn);

        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => turn.Reply(datagram.Bytes);

        public override void OnRing(DatagramTurn turn) => Ring(turn);

        public override void OnUnreachable(PeerAddress peer, DatagramTurn turn) => Unreachable.Add(peer);

        public override void OnDrain(DatagramTurn turn) => Drain(turn);

        public override void OnClosed(CloseReason reason) => Close(reason);
    }

    private sealed class CountedBell : Bell
    {
        public int Rings { get; private set; }

        public override void Ring() => Rings++;
    }
}
