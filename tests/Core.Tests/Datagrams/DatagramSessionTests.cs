using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Answers, bounds and faults of datagram services.</summary>
public sealed class DatagramSessionTests
{
    private static readonly PeerAddress _loopback = PeerAddress.IPv4(0x7f000001, 9);
    private static readonly PeerAddress _stranger = PeerAddress.IPv4(0xc0000201, 9);

    private readonly Ledger _ledger = new();

    private delegate void Answering(Datagram datagram, DatagramTurn turn);

    [Fact]
    public void A_datagram_may_have_several_answers_in_order()
    {
        DatagramSession session = Session((_, turn) =>
        {
            turn.Reply("one"u8);
            turn.Reply("two"u8);
        });
        Give(session, 10, _loopback);
        Assert.Equal(2, session.Outbox.Count);
        Assert.Equal("one"u8, session.Outbox[0].Bytes.Span);
        Assert.Equal("two"u8, session.Outbox[1].Bytes.Span);
        Assert.Equal(_loopback, session.Outbox[1].To);
    }

    [Fact]
    public void What_is_written_and_not_replied_is_no_answer()
    {
        DatagramSession session = Session((_, turn) => turn.Output.GetSpan(10));
        Give(session, 10, _loopback);
        Give(session, 10, _loopback);
        Assert.Equal(0, session.Outbox.Count);
    }

    [Fact]
    public void An_unproved_source_gets_at_most_three_times_what_it_sent_in_all()
    {
        DatagramSession session = Session((_, turn) =>
        {
            turn.Reply(new byte[20]);
            turn.Reply(new byte[10]);
            turn.Reply(new byte[1]);
        });
        Give(session, 10, _stranger);
        Assert.Equal(2, session.Outbox.Count);
        Assert.Equal(1, _ledger.Read().Dropped(DatagramDrop.Amplification));
    }

    [Fact]
    public void A_loopback_source_cannot_be_forged_from_outside_and_an_operator_may_lift_the_bound()
    {
        DatagramSession session = Session(static (_, turn) => turn.Reply(new byte[100]));
        Give(session, 1, _loopback);
        Assert.Equal(1, session.Outbox.Count);
        DatagramSession lifted = Session(static (_, turn) => turn.Reply(new byte[100]),
            DatagramLimits.Default with { MaxAmplification = 0 });
        Give(lifted, 1, _stranger);
        Assert.Equal(1, lifted.Outbox.Count);
    }

    [Fact]
    public void Sending_to_the_source_is_no_way_around_the_bound()
    {
        DatagramSession session = Session(static (datagram, turn) =>
        {
            System.Buffers.BuffersExtensions.Write(turn.Output, new byte[100]);
            turn.SendTo(datagram.From);
        });
        Give(session, 1, _stranger);
        Assert.Equal(0, session.Outbox.Count);
    }

    [Fact]
    public void An_answer_too_large_for_a_datagram_is_dropped_and_counted()
    {
        DatagramSession session = Session(static (_, turn) =>
        {
            turn.Reply(new byte[65_508]);
            turn.Reply(new byte[65_507]);
        });
        Give(session, 65_000, _loopback);
        Assert.Equal(1, session.Outbox.Count);
        Assert.Equal(1, _ledger.Read().Dropped(DatagramDrop.AnswerTooLarge));
    }

    [Fact]
    public void More_answers_than_the_limit_are_dropped_and_counted()
    {
        DatagramSession session = Session(
            static (_, turn) =>
            {
                turn.Reply("1"u8);
                turn.Reply("2"u8);
            },
            DatagramLimits.Default with { MaxAnswersPerTurn = 1 });
        Give(session, 10, _loopback);
        Assert.Equal(1, session.Outbox.Count);
        Assert.Equal(1, _ledger.Read().Dropped(DatagramDrop.TooManyAnswers));
    }

    [Fact]
    public void A_handler_that_throws_loses_that_datagram_and_nothing_else()
    {
        DatagramSession session = Session(static (datagram, turn) =>
        {
            if (datagram.Bytes.Length == 1)
            {
                throw new FormatException("bad");
            }

            turn.Reply(datagram.Bytes);
        });
        Give(session, 1, _loopback);
        Give(session, 2, _loopback);
        Assert.Equal(1, session.Outbox.Count);
        Assert.Equal("bad", session.Fault?.Message);
        Assert.Equal(1, _ledger.Read().DatagramFaults);
        Assert.Equal(2, _ledger.Read().DatagramsReceived);
    }

    [Fact]
    public void An_alarm_may_send_to_a_peer_but_has_nothing_to_reply_to()
    {
        AlarmHandler handler = new();
        DatagramSession session = new(handler, DatagramLimits.Default, _ledger);
        Give(session, 1, _loopback);
        Assert.Equal(TimeSpan.FromSeconds(5), session.Deadline);
        session.Tick(TimeSpan.FromSeconds(4.9), default);
        Assert.Equal(0, session.Outbox.Count);
        session.Tick(TimeSpan.FromSeconds(5), default);
        Assert.Equal(1, session.Outbox.Count);
        Assert.IsType<InvalidOperationException>(session.Fault);
        Assert.Equal(TimeSpan.MaxValue, session.Deadline);
    }

    private DatagramSession Session(Answering answer, DatagramLimits? limits = null) =>
        new(new LambdaHandler(answer), limits ?? DatagramLimits.Default, _ledger);

    private static void Give(DatagramSession session, int bytes, PeerAddress from) =>
        session.Received(new byte[bytes], from, TimeSpan.Zero, default);

    private sealed class LambdaHandler(Answering answer) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => answer(datagram, turn);
    }

    private sealed class AlarmHandler : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => turn.Alarm = turn.Now + TimeSpan.FromSeconds(5);

        public override void OnAlarm(DatagramTurn turn)
        {
            turn.SendTo(_loopback);
            turn.Reply("nobody"u8);
        }
    }
}
