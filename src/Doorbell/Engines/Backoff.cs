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

    public Task WaitAsync(CancellationToken stop)
    {
        TimeSpan wait = _next;
        _next = wait * 2 < _longest ? wait * 2 : _longest;
        return Task.Delay(wait, stop);
    }

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
