using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>
/// The narrow waist: one connection, between its handler and the lane that carries it. The lane asks what the session
/// <see cref="Wants"/>, does it, and tells it what happened; the session keeps the unconsumed input, the pending output, the
/// limits, the deadline, the half-closes, the back-pressure and the drain. It is pure: no socket, no thread, no clock.
/// </summary>
/// <remarks>
/// Exactly one lane may touch a session, one call at a time. Every call may change <see cref="Wants"/>, <see cref="Deadline"/>
/// and <see cref="Outgoing"/>. All times are on one monotonic scale, the lane's. When the lane has closed the connection and no
/// operation uses the session's memory any more, it calls <see cref="Closed"/>, last and always.
/// </remarks>
public sealed partial class StreamSession
{
    private readonly StreamHandler _handler;
    private readonly StreamLimits _limits;
    private readonly Ledger _ledger;
    private readonly Bell _bell;
    private readonly OutputBuffer _output;
    private UnconsumedInput _rest;
    private StreamTally _tally;
    private Phase _phase;
    private CloseReason _reason;
    private DateTimeOffset _utcOrigin;
    private TimeSpan _opened;
    private TimeSpan _lastActivity;
    private TimeSpan _finishedAt;
    private DataRate _arriving;
    private DataRate _leaving;
    private int _stepsLeft;
    private bool _parked;
    private bool _finishing;
    private bool _finished;
    private bool _ended;
    private bool _endDispatched;
    private bool _heard;

    /// <summary>The rest holds bytes that the handler has not been offered as things stand now.</summary>
    private bool _stalled;

    /// <summary>The budget of steps ran out with input left: <see cref="Want.Yield"/>.</summary>
    private bool _yieldWanted;

    /// <summary>A session for a connection just accepted; nothing has been told to the handler yet.</summary>
    /// <param name="handler">This connection's own.</param>
    /// <param name="limits">The service's limits, validated.</param>
    /// <param name="connection">Who is connected, and to what.</param>
    /// <param name="bell">The lane's: rings for this connection.</param>
    /// <param name="ledger">Where it is counted.</param>
    /// <param name="pool">Where its memory comes from and goes back to.</param>
    public StreamSession(StreamHandler handler, StreamLimits limits, ConnectionInfo connection, Bell bell, Ledger ledger, ArrayPool<byte> pool)
    {
        _handler = handler;
        _limits = limits;
        _ledger = ledger;
        _output = new OutputBuffer(pool, limits.MaxPendingOutput);
        _rest = new UnconsumedInput(pool);
        Connection = connection;
        _bell = bell;
    }

    private enum Phase : byte
    {
        Open,

        /// <summary>No more for the handler to say: flush, half-close, wait for the peer's end, close.</summary>
        Closing,

        Aborting,

        /// <summary>The transport is gone: only the descriptor is left to close.</summary>
        Gone,
    }

    /// <summary>Who is connected, and to what.</summary>
    public ConnectionInfo Connection { get; }

    /// <summary>Who is at the other end.</summary>
    public PeerAddress Peer => Connection.Peer;

    /// <summary>What the handler threw, once it did; for the log.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Why the session ended or is ending; <see cref="CloseReason.Completed"/> while it is not.</summary>
    public CloseReason Reason => _reason;

    /// <summary>What the lane is to do now.</summary>
    public Want Wants => ConnectWants | _phase switch
    {
        Phase.Open => SendingWants
            | (_yieldWanted ? Want.Yield : 0)
            | (!_ended && !_parked && !_stalled && _output.Pending < _limits.OutputHighMark ? Want.Receive : 0),
        // close(2) sends the FIN itself; only a peer that may still send makes it worth doing apart.
        Phase.Closing when _ended && _output.Pending == 0 => Want.Close,
        Phase.Closing when _finished && (_ended || _reason is CloseReason.IdleTimeout or CloseReason.FirstByteTimeout) => Want.Close,
        Phase.Closing => SendingWants | (_ended ? 0 : Want.Receive),
        Phase.Aborting => Want.Abort,
        _ => Want.Close,
    };

    /// <summary>When <see cref="Tick"/> is to be called at the latest; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan Deadline => _phase switch
    {
        Phase.Open => Earlier(Alarm ?? TimeSpan.MaxValue, Limit.Due),
        Phase.Closing => _finished ? After(_finishedAt, _limits.CloseTimeout) : Limit.Due,
        _ => TimeSpan.MaxValue,
    };

    /// <summary>
    /// What is to be sent next. The memory stays valid and unmoved, whatever else the session is told, until
    /// <see cref="Sent"/> has reported all of it, <see cref="TakeBack"/> was called or <see cref="Closed"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Outgoing => _output.Outgoing;

    /// <summary>
    /// Whether the handler has taken its <see cref="Turn.Bell"/>: until then nobody can ring it, and the lane need not listen.
    /// </summary>
    public bool BellTaken { get; private set; }

    internal Bell Bell
    {
        get
        {
            BellTaken = true;
            return _bell;
        }
    }

    internal TimeSpan? Alarm { get; set; }

    internal bool Draining { get; private set; }

    internal OutputBuffer WritableOutput => _finishing || _phase != Phase.Open
        ? throw new InvalidOperationException("The sending side of this connection has been finished: nothing can be written after it.")
        : _output;

    private Want SendingWants =>
        _output.Pending > 0 ? Want.Send : (_finishing || _phase == Phase.Closing) && !_finished ? Want.Finish : Want.None;

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>The connection is established.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Opened(TimeSpan now, DateTimeOffset utcNow)
    {
        _utcOrigin = utcNow - now;
        _opened = _lastActivity = now;
        CountOpened();
        Call(Moment.Open, now);
        Complete(now);
    }

    /// <summary>The kernel has taken the first <paramref name="count"/> bytes of <see cref="Outgoing"/>.</summary>
    /// <param name="count">Bytes; not more than was outgoing.</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Sent(int count, TimeSpan now)
    {
        _output.Taken(count);
        _leaving.Move(count);
        _tally.BytesSent += count;
        _lastActivity = now;
        _stepsLeft = _limits.MaxStepsPerRound;
        if (_output.Pending == 0 && _phase == Phase.Open && !_finishing)
        {
            Call(Moment.Flushed, now);
        }

        Complete(now);
    }

    /// <summary>The lane has half-closed the connection, as <see cref="Want.Finish"/> asked.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Finished(TimeSpan now)
    {
        _finished = true;
        _finishedAt = now;
        Refresh(now);
    }

    /// <summary>Time has passed; does what is due. Early calls are harmless.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Tick(TimeSpan now)
    {
        _stepsLeft = _limits.MaxStepsPerRound;
        if (_phase == Phase.Open && Alarm is { } alarm && alarm <= now)
        {
            Alarm = null;
            Call(Moment.Alarm, now);
        }

        if (_phase is Phase.Open or Phase.Closing)
        {
            EnforceLimits(now);
        }

        Complete(now);
    }

    /// <summary>The bell was rung.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Ring(TimeSpan now)
    {
        _stepsLeft = _limits.MaxStepsPerRound;
        if (_phase == Phase.Open)
        {
            Call(Moment.Ring, now);
        }

        Complete(now);
    }

    /// <summary>The lane has served the others, as <see cref="Want.Yield"/> asked.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Continue(TimeSpan now)
    {
        _yieldWanted = false;
        Refresh(now);
    }

    /// <summary>
    /// The server drains. The lane first hands over what the kernel already holds, so that a request that has arrived is
    /// answered. Told once.
    /// </summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Drain(TimeSpan now)
    {
        _stepsLeft = _limits.MaxStepsPerRound;
        Draining = true;
        DrainRequested();
        if (_phase == Phase.Open)
        {
            Call(Moment.Drain, now);
        }

        Complete(now);
    }

    /// <summary>The transport failed, or the server's drain is over: nothing more can be received or sent.</summary>
    /// <param name="reason">Why.</param>
    public void Fail(CloseReason reason)
    {
        if (_phase is Phase.Open or Phase.Closing)
        {
            _reason = reason;
            _phase = Phase.Gone;
        }
    }

    /// <summary>
    /// The lane has closed the connection and nothing uses the session's memory any more: gives it back and tells the handler.
    /// </summary>
    public void Closed()
    {
        _tally.BytesUnsent += _output.Pending;
        _tally.BytesDiscarded += _rest.Length;
        _output.Release();
        _rest.Release();
        try
        {
            _handler.OnClosed(_reason);
        }
        catch (Exception fault)
        {
            Fault ??= fault;
            _reason = CloseReason.HandlerFault;
        }

        EndTurn();
        CloseRequests();
        _ledger.ConnectionClosed(_reason);
    }

    internal DateTimeOffset UtcAt(TimeSpan now) => _utcOrigin + now;

    internal void CountRequests(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _tally.Requests += count;
    }

    private void EndTurn()
    {
        _ledger.Add(in _tally);
        _tally = default;
    }
}
