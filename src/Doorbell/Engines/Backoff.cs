namespace Doorbell;

/// <summary>Waits longer after each failure, so that a shortage costs no CPU, and keeps the log to a line a second.</summary>
internal sealed class Backoff
{
    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _logInterval = TimeSpan.FromSeconds(1);

    private TimeSpan _next = _shortest;
    private TimeSpan _loggedAt = TimeSpan.MinValue;

    public void Reset() => _next = _shortest;

    /// <summary>How long to wait this time.</summary>
    public TimeSpan Next()
    {
        TimeSpan wait = _next;
        _next = wait * 2 < _longest ? wait * 2 : _longest;
        return wait;
    }

    public Task WaitAsync(CancellationToken stop) => Task.Delay(Next(), stop);

    public bool MayLog()
    {
        TimeSpan now = MonotonicClock.Now;
        if (_loggedAt != TimeSpan.MinValue && now - _loggedAt < _logInterval)
        {
            return false;
        }

        _loggedAt = now;
        return true;
    }
}
