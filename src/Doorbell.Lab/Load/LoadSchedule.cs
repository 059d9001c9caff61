namespace Doorbell.Lab.Load;

/// <summary>
/// When requests are due, in nanoseconds. In an open loop they are due at a rate, evenly spaced, whether or not earlier ones have been
/// answered. In a closed loop the next is due as soon as a connection has room for it. One thread's own.
/// </summary>
internal sealed class LoadSchedule(double? rate, TimeSpan ramp)
{
    private const double NanosecondsPerSecond = 1e9;

    private readonly double _gap = NanosecondsPerSecond / (rate ?? 1);
    private readonly double _ramp = rate is null ? 0 : ramp.TotalNanoseconds;
    private long _begun = long.MaxValue;
    private long _end = long.MaxValue;
    private long _taken;

    /// <summary>Whether requests come at a rate.</summary>
    public bool IsOpen => rate is not null;

    /// <summary>When the next request is due; <see cref="long.MaxValue"/> if none is known to be.</summary>
    public long Next { get; private set; } = long.MaxValue;

    /// <summary>From now on.</summary>
    public void Begin(long now)
    {
        _begun = now;
        Next = IsOpen ? Due(0) : now;
    }

    /// <summary>Nothing is due from then on. What was due before can still be taken in an open loop.</summary>
    public void EndAt(long end)
    {
        _end = end;
        if (!IsOpen || Next >= end)
        {
            Next = long.MaxValue;
        }
    }

    /// <summary>Nothing can be taken any more, after <see cref="EndAt"/>.</summary>
    /// <returns>How many were due and have not been taken.</returns>
    public long GiveUp()
    {
        long left = 0;
        if (Next != long.MaxValue)
        {
            for (; Due(_taken + left) < _end; left++)
            {
            }
        }

        Next = long.MaxValue;
        return left;
    }

    /// <summary>Takes a request if one is due.</summary>
    /// <param name="now">The time.</param>
    /// <param name="since">When it was due: its latency counts from here.</param>
    public bool TryTake(long now, out long since)
    {
        since = Math.Min(Next, now);
        if (Next > now)
        {
            return false;
        }

        if (IsOpen)
        {
            long next = Due(++_taken);
            Next = next < _end ? next : long.MaxValue;
        }
        else
        {
            since = now;
        }

        return true;
    }

    /// <summary>While the rate rises evenly from 0, t after the beginning t²/(2·ramp·gap) are due.</summary>
    private long Due(long number)
    {
        double inRamp = _ramp / _gap / 2;
        double after = number < inRamp ? Math.Sqrt(2 * number * _ramp * _gap) : _ramp + ((number - inRamp) * _gap);
        return _begun + (long)after;
    }
}
