namespace Doorbell.Sessions;

/// <summary>How fast a message arrives, or an answer is taken: begun when there is one, forgotten when it is whole.</summary>
internal struct DataRate
{
    /// <summary>So many seconds are for ever; more than twice of it no <see cref="TimeSpan"/> holds.</summary>
    private static readonly TimeSpan _max = TimeSpan.MaxValue / 2;

    private TimeSpan _began;
    private long _bytes;
    private bool _watched;

    /// <summary>So many bytes have moved.</summary>
    public void Move(int bytes) => _bytes += bytes;

    /// <summary>Says whether something is on its way; the first time begins the measure.</summary>
    /// <param name="onItsWay">Whether it is.</param>
    /// <param name="moved">What of it has moved at the first time. So it doesn't matter in which pieces it came.</param>
    /// <param name="now">On the monotonic scale.</param>
    public void Watch(bool onItsWay, int moved, TimeSpan now)
    {
        if (onItsWay && !_watched)
        {
            _began = now;
            _bytes = moved;
        }

        _watched = onItsWay;
    }

    /// <summary>
    /// When it will have been too slow if no more bytes move until then: the bytes so far pay for so many seconds, and the grace
    /// is on top.
    /// </summary>
    public readonly TimeSpan Due(StreamLimits limits)
    {
        if (!_watched || limits.MinDataRate == 0)
        {
            return TimeSpan.MaxValue;
        }

        double seconds = (double)_bytes / limits.MinDataRate;
        if (seconds >= _max.TotalSeconds)
        {
            return TimeSpan.MaxValue;
        }

        TimeSpan paid = TimeSpan.FromSeconds(seconds);
        return Deadline.After(_began + paid, limits.MinDataRateGrace);
    }
}
