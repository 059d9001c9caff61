namespace Doorbell.Lab.Impair.Faults;

/// <summary>How bad one direction is now: set by whoever talks to the proxy, read by those who carry. Any thread may use it.</summary>
internal sealed class LiveFaults(WayFaults begin)
{
    private volatile WayFaults _now = begin;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WayFaults Now => _now;

    /// <summary>Completes at the next change. Take it before <see cref="Now"/>, so that no change is missed.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public void Set(WayFaults faults)
    {
        _now = faults;
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}
