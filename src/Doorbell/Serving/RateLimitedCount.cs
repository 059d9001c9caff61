namespace Doorbell.Serving;

/// <summary>
/// How much of a growing count the log has not told yet: it is told when it has grown, once a minute at most. Not thread-safe.
/// </summary>
internal struct RateLimitedCount
{
    private static readonly TimeSpan _quiet = TimeSpan.FromMinutes(1);

    private long _told;
    private TimeSpan? _toldAt;

    /// <summary>What is to be told now, which counts as told; 0 for nothing.</summary>
    /// <param name="count">All there is so far.</param>
    /// <param name="now">On the monotonic scale.</param>
    public long Take(long count, TimeSpan now)
    {
        long untold = count - _told;
        if (untold <= 0 || (_toldAt is { } last && now - last < _quiet))
        {
            return 0;
        }

        _told = count;
        _toldAt = now;
        return untold;
    }
}
