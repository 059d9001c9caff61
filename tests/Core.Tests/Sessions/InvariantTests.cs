using System.Buffers;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A lane that reports what can't be ends that session alone, and it is counted.</summary>
public sealed class InvariantTests
{
    public static TheoryData<string> Violations => [.. _violations.Keys];

    private static readonly Dictionary<string, Action<StreamSession>> _violations = new()
    {
        ["opened twice"] = static session => session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch),
        ["sent more than was outgoing"] = static session => session.Sent(1, TimeSpan.Zero),
        ["sent less than nothing"] = static session => session.Sent(-1, TimeSpan.Zero),
        ["half-closed unasked"] = static session => session.Finished(TimeSpan.Zero),
        ["half-closed before what is pending was sent"] = static session =>
        {
            session.Received("finish"u8, TimeSpan.Zero);
            session.Finished(TimeSpan.Zero);
        },
        ["half-closed twice"] = static session =>
        {
            session.Received("finish"u8, TimeSpan.Zero);
            session.Sent(session.Outgoing.Length, TimeSpan.Zero);
            session.Finished(TimeSpan.Zero);
            Assert.Null(session.Fault);
            session.Finished(TimeSpan.Zero);
        },
        ["bytes after the end"] = static session =>
        {
            session.ReceivedEnd(TimeSpan.Zero);
            session.Received("late"u8, TimeSpan.Zero);
        },
        ["lent bytes after the end"] = static session =>
        {
            session.ReceivedEnd(TimeSpan.Zero);
            session.Received(new byte[100], 50, TimeSpan.Zero);
            session.TakeBack();
        },
        ["the end twice"] = static session =>
        {
            session.ReceivedEnd(TimeSpan.Zero);
            session.ReceivedEnd(TimeSpan.Zero);
        },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public void A_report_that_cannot_be_resets_the_connection_and_is_counted_as_that(string violation)
    {
        Ledger ledger = new();
        ScriptedHandler handler = Handler();
        StreamSession session = Session(handler, ledger);
        session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        _violations[violation](session);
        Assert.Equal(Want.Abort, session.Wants);
        Assert.IsType<InvalidOperationException>(session.Fault);
        session.Closed();
        Assert.Equal(CloseReason.InvariantViolated, handler.Closed);
        Assert.Equal(1, ledger.Read().Closed(CloseReason.InvariantViolated));
        Assert.Equal(1, ledger.Read().Errors);
    }

    [Fact]
    public void A_report_before_the_connection_is_open_is_one_that_cannot_be()
    {
        StreamSession session = Session(Handler(), new Ledger());
        session.Received("early"u8, TimeSpan.Zero);
        Assert.Equal(CloseReason.InvariantViolated, session.Reason);
        Assert.Equal(Want.Abort, session.Wants);
    }

    [Fact]
    public void After_the_end_every_report_is_counted_and_changes_nothing()
    {
        Ledger ledger = new();
        ScriptedHandler handler = Handler();
        StreamSession session = Session(handler, ledger);
        session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        session.Fail(CloseReason.PeerReset);
        session.Closed();
        Action[] late =
        [
            () => session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch),
            () => session.Received("late"u8, TimeSpan.Zero),
            () => session.ReceivedEnd(TimeSpan.Zero),
            () => session.Sent(0, TimeSpan.Zero),
            () => session.Finished(TimeSpan.Zero),
            () => session.Tick(TimeSpan.Zero),
            () => session.Ring(TimeSpan.Zero),
            () => session.Continue(TimeSpan.Zero),
            () => session.Drain(TimeSpan.Zero),
            session.Closed,
        ];
        foreach (Action call in late)
        {
            call();
        }

        Assert.Equal(["open"], handler.Told);
        Assert.Equal(late.Length, ledger.Read().CallsAfterClose);
        Assert.Equal(1, ledger.Read().Closed(CloseReason.PeerReset));
        Assert.Equal(CloseReason.PeerReset, session.Reason);
        Assert.NotNull(session.Fault);
    }

    [Fact]
    public void What_was_still_under_way_when_the_transport_failed_may_be_reported()
    {
        StreamSession session = Session(Handler(), new Ledger());
        session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        session.Received("a"u8, TimeSpan.Zero);
        int outgoing = session.Outgoing.Length;
        session.Fail(CloseReason.TransportFailed);
        session.Sent(outgoing, TimeSpan.Zero);
        session.Received("b"u8, TimeSpan.Zero);
        session.Finished(TimeSpan.Zero);
        session.ReceivedEnd(TimeSpan.Zero);
        Assert.Null(session.Fault);
        Assert.Equal(CloseReason.TransportFailed, session.Reason);
    }

    [Fact]
    public void Every_phase_can_be_followed_by_those_of_the_table_and_by_no_other()
    {
        (SessionPhase From, SessionPhase[] To)[] table =
        [
            (SessionPhase.New, [SessionPhase.Open, SessionPhase.Aborting, SessionPhase.Gone, SessionPhase.Closed]),
            (SessionPhase.Open, [SessionPhase.Closing, SessionPhase.Aborting, SessionPhase.Gone, SessionPhase.Closed]),
            (SessionPhase.Closing, [SessionPhase.Aborting, SessionPhase.Gone, SessionPhase.Closed]),
            (SessionPhase.Aborting, [SessionPhase.Closed]),
            (SessionPhase.Gone, [SessionPhase.Closed]),
            (SessionPhase.Closed, []),
        ];
        foreach ((SessionPhase from, SessionPhase[] to) in table)
        {
            Assert.Equal(to, Enum.GetValues<SessionPhase>().Where(next => In(from).TryMoveTo(next)));
        }
    }

    /// <summary>A state in a phase, by the shortest way.</summary>
    private static SessionState In(SessionPhase phase)
    {
        SessionState state = default;
        if (phase == SessionPhase.Closing)
        {
            Assert.True(state.TryMoveTo(SessionPhase.Open));
        }

        Assert.True(phase == SessionPhase.New || state.TryMoveTo(phase));
        return state;
    }

    private static ScriptedHandler Handler() => new()
    {
        Bytes = static (input, turn) =>
        {
            turn.Output.Write(input);
            return input.SequenceEqual("finish"u8) ? Step.Finish(input.Length) : Step.More(input.Length);
        },
        End = static (_, _) => Next.Stay,
    };

    private static StreamSession Session(StreamHandler handler, Ledger ledger) =>
        new(handler, StreamLimits.Default, InMemoryConnection.Info, new SilentBell(), ledger, ArrayPool<byte>.Shared);
}
