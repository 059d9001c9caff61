namespace Doorbell.Serving;

/// <summary>Keeps what is said again and again to a line a second. Any thread may ask.</summary>
internal sealed class LogThrottle
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private TimeSpan? _saidAt;
    private int _left;

    public bool MayLog() => MayLog(out _);

    /// <summary>Whether a line may be written now.</summary>
    /// <param name="left">How many were left out since the last line.</param>
    public bool MayLog(out int left)
    {
        lock (_lock)
        {
            TimeSpan now = MonotonicClock.Now;
            if (_saidAt is { } last && now - last < _interval)
            {
                left = ++_left;
                return false;
            }

            (left, _left) = (_left, 0);
            _saidAt = now;
            return true;
        }
    }
}
