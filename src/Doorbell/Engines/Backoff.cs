namespace Doorbell;

/// <summary>Waits longer after each failure, so that a shortage costs no CPU, and keeps the log to a line a second.</summary>
internal sealed class Backoff
{
    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(1);

    private TimeSpan _next = _shortest;
    private readonly LogInterval _log = new();

    public void Reset() => _next = _shortest;

    /// <summary>How long to wait this time.</summary>
    public TimeSpan Next()
    {
        TimeSpan wait = _next;
        _next = wait * 2 < _longest ? wait * 2 : _longest;
        return wait;
    }

    public Task WaitAsync(CancellationToken stop) => Task.Delay(Next(), stop);

    public bool MayLog() => _log.MayLog();
}
