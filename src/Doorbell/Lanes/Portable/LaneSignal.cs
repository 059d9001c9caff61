using System.Threading.Tasks.Sources;

namespace Doorbell.Lanes.Portable;

/// <summary>What a sleeping lane may be woken by.</summary>
[Flags]
internal enum LaneEvents
{
    None = 0,
    Input = 1,
    Sent = 2,
    Rung = 4,
    Due = 8,
    Drain = 16,
    Abort = 32,
    Asked = 64,
}

/// <summary>
/// Where a lane sleeps, and its bell. Many may raise events, one lane waits; raising what is raised already does nothing. Allocates
/// nothing after it is made.
/// </summary>
internal sealed class LaneSignal : LaneBell, IValueTaskSource<LaneEvents>, IThreadPoolWorkItem
{
    private const int Waiting = 1 << 30;

    private ManualResetValueTaskSourceCore<LaneEvents> _wake;
    private int _events;

    /// <summary>Whether there is something to <see cref="Take"/>.</summary>
    public bool IsRaised => Volatile.Read(ref _events) != 0;

    /// <summary>Rings from any thread; the lane runs on a thread of its own, never on the ringer's.</summary>
    public override void Ring() => RaiseElsewhere(LaneEvents.Rung);

    public override void Wake() => RaiseElsewhere(LaneEvents.Asked);

    /// <summary>Raises <paramref name="events"/> and runs a sleeping lane here and now: for a thread that has nothing else to do.</summary>
    public void Raise(LaneEvents events)
    {
        if (Interlocked.Or(ref _events, (int)events) == Waiting)
        {
            RunLane();
        }
    }

    /// <summary>Raises <paramref name="events"/> and has a sleeping lane run on the thread pool.</summary>
    public void RaiseElsewhere(LaneEvents events)
    {
        if (Interlocked.Or(ref _events, (int)events) == Waiting)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>What has been raised since the last time; does not wait.</summary>
    public LaneEvents Take() => (LaneEvents)(Interlocked.Exchange(ref _events, 0) & ~Waiting);

    /// <summary>Waits until something is raised, and takes it.</summary>
    public ValueTask<LaneEvents> WaitAsync()
    {
        _wake.Reset();
        return Interlocked.CompareExchange(ref _events, Waiting, 0) == 0
            ? new ValueTask<LaneEvents>(this, _wake.Version)
            : new ValueTask<LaneEvents>(Take());
    }

    void IThreadPoolWorkItem.Execute() => RunLane();

    LaneEvents IValueTaskSource<LaneEvents>.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<LaneEvents>.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource<LaneEvents>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    private void RunLane() => _wake.SetResult(Take());
}
