namespace Doorbell.Lab.Load;

/// <summary>
/// The course of a load: it opens its connections, ramps up, warms up, measures, waits for the last answers, and ends. How connections are
/// opened and asked is its heirs' matter. All but what says so is called by the load's own thread.
/// </summary>
internal abstract class LoadRun : IDisposable
{
    private static readonly TimeSpan _shortestInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _longestInterval = TimeSpan.FromSeconds(1);

    /// <summary>Often enough to see time-outs and the order to stop.</summary>
    private static readonly long _lookAround = Nanoseconds.Of(TimeSpan.FromMilliseconds(20));

    /// <summary>Of a run that is ended early.</summary>
    private static readonly long _shortEnd = Nanoseconds.Of(TimeSpan.FromMilliseconds(100));

    private readonly TaskCompletionSource _measuring = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoadPhase _phase = LoadPhase.Opening;
    private long _begun;
    private long _from;
    private long _to;
    private long _lookedAt;
    private long _endsAt = long.MaxValue;
    private long _unsent;
    private TimeSpan _cpuBefore;
    private TimeSpan _cpu;
    private volatile bool _isStopped;
    private volatile LoadReading _reading = new(TimeSpan.Zero, null, 0, 0);

    protected LoadRun(LoadOptions options)
    {
        TimeSpan piece = options.Whole / 100;
        piece = piece < _shortestInterval ? _shortestInterval : piece > _longestInterval ? _longestInterval : piece;
        State = new LoadState(options, piece < options.Whole / 2000 ? options.Whole / 2000 : piece);
    }

    protected LoadState State { get; }

    protected LoadOptions Options => State.Options;

    protected LoadSchedule Schedule => State.Schedule;

    protected LoadTally Tally => State.Tally;

    /// <summary>Ends when it begins to measure, or when it is over without that. Any thread.</summary>
    public Task Measuring => _measuring.Task;

    /// <summary>Any thread.</summary>
    public LoadReading Reading => _reading;

    /// <summary>Why it could not even begin; null if it could.</summary>
    public string? Failure { get; protected set; }

    /// <summary>Whether it asks, or is about to.</summary>
    protected bool IsAsking => _phase < LoadPhase.Finishing;

    /// <summary>Whether what is lost now has failed: not if somebody has ended the run.</summary>
    protected bool CountsLost => _phase < LoadPhase.Closing && (IsAsking || !_isStopped);

    /// <summary>Whether as many connections are open as there will be, as far as they can be.</summary>
    protected abstract bool IsReady { get; }

    protected abstract int Open { get; }

    /// <summary>Any thread: ends it early.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>Runs it to its end, on this thread.</summary>
    /// <exception cref="NetworkException">The system refuses what it needs.</exception>
    public LoadResult Run()
    {
        try
        {
            RunLoop();
        }
        finally
        {
            _measuring.TrySetResult();
        }

        return new LoadResult
        {
            Measured = Nanoseconds.ToTime(Math.Max(_to - _from, 0)),
            Requests = Tally.Requests,
            BytesSent = Tally.BytesSent,
            BytesReceived = Tally.BytesReceived,
            Latency = Tally.Latency,
            Errors = Tally.Errors,
            Unsent = _unsent,
            Cpu = _cpu,
            IsInterrupted = _isStopped,
            Intervals = Tally.Intervals,
        };
    }

    public abstract void Dispose();

    /// <summary>Calls <see cref="Round"/> again and again until it has called <see cref="Close"/> and all is closed.</summary>
    protected abstract void RunLoop();

    /// <summary>Opens connections that are to be opened now, and asks what is due.</summary>
    protected abstract void Ask(long now);

    /// <summary>Gives up what has got no answer for too long; all, if the time is over.</summary>
    protected abstract void GiveUp(long now, bool all);

    /// <summary>Closes all; returns when it has begun to.</summary>
    /// <param name="first">Whether for the first time: then in order, otherwise by force.</param>
    protected abstract void Close(bool first);

    /// <summary>Does what is to be done now.</summary>
    /// <returns>When it is to be called again at the latest.</returns>
    protected long Round(long now)
    {
        if (_phase == LoadPhase.Opening && (IsReady || Options.Ramp > TimeSpan.Zero))
        {
            Begin(now);
        }

        if (_phase == LoadPhase.Asking && now >= _from && !_measuring.Task.IsCompleted)
        {
            _cpuBefore = Environment.CpuUsage.TotalTime;
            _measuring.TrySetResult();
        }

        bool isOver = _phase == LoadPhase.Asking && now >= _to;
        if (_phase < LoadPhase.Finishing && (isOver || _isStopped || Failure is not null))
        {
            EndAsking(now);
        }

        // In an open loop, what was due before the end is asked even if there was no room for it till then.
        if (_phase < LoadPhase.Finishing || (_phase == LoadPhase.Finishing && Schedule.Next != long.MaxValue))
        {
            Ask(now);
        }

        if (now - _lookedAt >= _lookAround)
        {
            _lookedAt = now;
            bool isTooLate = _phase == LoadPhase.Finishing && now >= _endsAt;
            _unsent += isTooLate ? Schedule.GiveUp() : 0;
            GiveUp(now, isTooLate);
        }

        if (_phase is LoadPhase.Asking or LoadPhase.Finishing && now >= Tally.IntervalEnd)
        {
            _reading = new LoadReading(Nanoseconds.ToTime(now - _begun), Tally.EndInterval(now), Open, Tally.Failures);
        }

        EndIfOver(now);
        long turningPoint = _phase != LoadPhase.Asking ? long.MaxValue : _measuring.Task.IsCompleted ? _to : _from;
        return Math.Min(_lookedAt + _lookAround, turningPoint);
    }

    private void Begin(long now)
    {
        _phase = LoadPhase.Asking;
        _begun = now;
        _from = now + Nanoseconds.Of(Options.Ramp + Options.Warmup);
        _to = _from + Nanoseconds.Of(Options.Duration);
        Tally.Begin(now, _from, _to);
        Schedule.Begin(now);
    }

    private void EndAsking(long now)
    {
        bool measured = _phase == LoadPhase.Asking && now >= _from && _measuring.Task.IsCompleted;
        _cpu = measured ? Environment.CpuUsage.TotalTime - _cpuBefore : TimeSpan.Zero;
        _to = measured ? Math.Min(_to, now) : _from;
        Tally.EndAt(_to);
        Schedule.EndAt(_to);
        bool isEarly = _isStopped || Failure is not null;
        _unsent = isEarly ? Schedule.GiveUp() : 0;
        _endsAt = now + (isEarly ? _shortEnd : Nanoseconds.Of(Options.Timeout));
        _phase = LoadPhase.Finishing;
    }

    private void EndIfOver(long now)
    {
        bool isDone = State.UnderWay == 0 && Schedule.Next == long.MaxValue;
        if (_phase == LoadPhase.Finishing && (isDone || now >= _endsAt + _lookAround))
        {
            if (_begun != 0 && now > _begun)
            {
                Tally.EndInterval(now);
            }

            _phase = LoadPhase.Closing;
            _endsAt = now + Nanoseconds.Of(TimeSpan.FromSeconds(1));
            Close(first: true);
        }
        else if (_phase == LoadPhase.Closing && now >= _endsAt)
        {
            _endsAt = long.MaxValue;
            Close(first: false);
        }
    }
}
