namespace Doorbell.Lanes.Loops;

/// <summary>A connection among the many of an event loop: its entry in the loop's table, its timer, its bell.</summary>
internal sealed class LoopConnection<TConnection> : Timed
    where TConnection : SocketConnection
{
    /// <summary>Its handler's bell was rung.</summary>
    public const int Rung = 1;

    /// <summary>The server asks it for something.</summary>
    public const int Woken = 2;

    private const int Ignored = 4;

    /// <summary>Not 0: the lane knows of it and has not yet come round. What for: <see cref="Rung"/>, <see cref="Woken"/>.</summary>
    private int _rung;
    private readonly LoopLane<TConnection> _lane;

    /// <exception cref="Exception">The making of the handler failed.</exception>
    public LoopConnection(in AcceptedSocket accepted, LoopLane<TConnection> lane)
    {
        _lane = lane;
        Connection = lane.Backend.Make(accepted, new LoopBell(this));
    }

    public LoopConnection(in ConnectedSocket connected, LoopLane<TConnection> lane)
    {
        _lane = lane;
        Connection = lane.Backend.Make(connected, new LoopBell(this));
    }

    public TConnection Connection { get; }

    /// <summary>Its index in the loop's table, and its events' token.</summary>
    public int Token { get; set; }

    /// <summary>It stands in the queue of those that go on without an event.</summary>
    public bool Queued { get; set; }

    /// <summary>It has been closed: what is said of it from now on is nothing to anyone.</summary>
    public bool Over { get; set; }

    /// <summary>What it was rung or woken for. From here on a ring is a new one.</summary>
    public int TakeRing() => Interlocked.Exchange(ref _rung, 0);

    /// <summary>It is over: whoever goes on ringing it fills no queue.</summary>
    public void IgnoreRings() => Interlocked.Exchange(ref _rung, Ignored);

    public override void OnTimer(TimeSpan now) => _lane.Dispatch(this, News.Time, now);

    private sealed class LoopBell(LoopConnection<TConnection> connection) : LaneBell
    {
        public override void Ring() => Raise(Rung);

        public override void Wake() => Raise(Woken);

        private void Raise(int what)
        {
            if (Interlocked.Or(ref connection._rung, what) == 0)
            {
                connection._lane.OnRung(connection);
            }
        }
    }
}
