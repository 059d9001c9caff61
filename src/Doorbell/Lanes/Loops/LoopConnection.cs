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

    private readonly Action<LoopConnection<TConnection>, TimeSpan> _due;
    private readonly Action<LoopConnection<TConnection>> _ring;

    /// <param name="due">Called on the lane's thread when the timer has come.</param>
    /// <param name="ring">Called on any thread when the bell is rung, once until <see cref="TakeRing"/>.</param>
    public LoopConnection(Action<LoopConnection<TConnection>, TimeSpan> due, Action<LoopConnection<TConnection>> ring) =>
        (_due, _ring) = (due, ring);

    /// <summary>Set by the lane before anything else is done with it.</summary>
    public TConnection Connection { get; set; } = null!;

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

    /// <summary>The connection's bell: one for each connection.</summary>
    public LaneBell NewBell() => new LoopBell(this);

    public override void OnTimer(TimeSpan now) => _due(this, now);

    private sealed class LoopBell(LoopConnection<TConnection> connection) : LaneBell
    {
        public override void Ring() => Raise(Rung);

        public override void Wake() => Raise(Woken);

        private void Raise(int what)
        {
            if (Interlocked.Or(ref connection._rung, what) == 0)
            {
                connection._ring(connection);
            }
        }
    }
}
