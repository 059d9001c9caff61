namespace Doorbell.Lanes.Loops;

/// <summary>A connection among the many of an event loop: its entry in the loop's table, its timer, its bell.</summary>
internal sealed class LoopConnection<TConnection> : Timed
    where TConnection : SocketConnection
{
    private readonly LoopLane<TConnection> _lane;

    /// <summary>1: the lane knows of a ring and has not yet come round.</summary>
    private int _rung;

    /// <exception cref="Exception">The making of the handler failed.</exception>
    public LoopConnection(in AcceptedSocket accepted, LoopLane<TConnection> lane)
    {
        _lane = lane;
        Connection = lane.Backend.Make(accepted, new LoopBell(this));
    }

    public TConnection Connection { get; }

    /// <summary>Its index in the loop's table, and its events' token.</summary>
    public int Token { get; set; }

    /// <summary>It stands in the queue of those that go on without an event.</summary>
    public bool Queued { get; set; }

    /// <summary>It has been closed: what is said of it from now on is nothing to anyone.</summary>
    public bool Over { get; set; }

    /// <summary>From here on a ring is a new one.</summary>
    public void ClearRing() => Interlocked.Exchange(ref _rung, 0);

    /// <summary>It is over: whoever goes on ringing it fills no queue.</summary>
    public void IgnoreRings() => Interlocked.Exchange(ref _rung, 1);

    public override void OnTimer(TimeSpan now) => _lane.Dispatch(this, News.Time, now);

    private sealed class LoopBell(LoopConnection<TConnection> connection) : Bell
    {
        public override void Ring()
        {
            if (Interlocked.Exchange(ref connection._rung, 1) == 0)
            {
                connection._lane.OnRung(connection);
            }
        }
    }
}
