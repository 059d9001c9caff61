namespace Doorbell.Serving;

/// <summary>Waits longer after each failure, so that a shortage costs no CPU, and keeps the log to a line a second.</summary>
internal sealed class Backoff
{
    private static readonly TimeSpan _min = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _max = TimeSpan.FromSeconds(1);

    private TimeSpan _next = _min;
    private readonly LogThrottle _log = new();

    public void Reset() => _next = _min;

    /// <summary>How long to wait this time.</summary>
    public TimeSpan Next()
    {
        TimeSpan wait = _next;
        _next = wait * 2 < _max ? wait * 2 : _max;
        return wait;
    }

    public Task WaitAsync(CancellationToken stop) => Task.Delay(Next(), stop);

    public bool MayLog() => _log.MayLog();
}
