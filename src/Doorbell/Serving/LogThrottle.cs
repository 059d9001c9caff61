namespace Doorbell.Serving;

/// <summary>Keeps what is said again and again to a line a second. Any thread may ask.</summary>
internal sealed class LogThrottle
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private TimeSpan? _saidAt;

    public bool MayLog()
    {
        lock (_lock)
        {
            TimeSpan now = MonotonicClock.Now;
            if (_saidAt is { } last && now - last < _interval)
            {
                return false;
            }

            _saidAt = now;
            return true;
        }
    }
}
