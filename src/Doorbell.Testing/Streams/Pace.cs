namespace Doorbell.Testing;

/// <summary>So many bytes a second: saved up for a hundredth of a second or a byte, so that a fast one needs few events.</summary>
internal sealed class Pace
{
    private const int BurstsPerSecond = 100;

    /// <summary>Bytes saved up, times <see cref="TimeSpan.TicksPerSecond"/>.</summary>
    private long _saved;
    private TimeSpan _since;

    /// <summary>0 for no limit.</summary>
    public int BytesPerSecond { get; private set; }

    /// <summary>When as much is saved up as may be: to look again before that would bring a few bytes.</summary>
    public TimeSpan NextAt => _since + TimeSpan.FromTicks(((Max - _saved) / BytesPerSecond) + 1);

    private long Max => Math.Max(TimeSpan.TicksPerSecond, BytesPerSecond * (TimeSpan.TicksPerSecond / BurstsPerSecond));

    public void Set(int bytesPerSecond, TimeSpan now)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesPerSecond);
        (BytesPerSecond, _saved, _since) = (bytesPerSecond, 0, now);
    }

    /// <summary>How many of so many bytes may move now.</summary>
    public int Allow(int bytes, TimeSpan now)
    {
        if (BytesPerSecond == 0)
        {
            return bytes;
        }

        _saved = (long)Int128.Min(Max, _saved + ((Int128)(now - _since).Ticks * BytesPerSecond));
        _since = now;
        return (int)Math.Min(bytes, _saved / TimeSpan.TicksPerSecond);
    }

    /// <summary>So many have moved.</summary>
    public void Use(int bytes) => _saved -= BytesPerSecond == 0 ? 0 : bytes * TimeSpan.TicksPerSecond;
}
