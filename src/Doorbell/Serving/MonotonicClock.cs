using System.Diagnostics;

namespace Doorbell.Serving;

/// <summary>The time that lanes tell their sessions: CLOCK_MONOTONIC, whatever is done to the wall clock.</summary>
internal static class MonotonicClock
{
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>
    /// How long to sleep until a time, as poll(2) and its like take it: rounded up, so that what is due then is due; -1, for ever, for
    /// <see cref="TimeSpan.MaxValue"/>.
    /// </summary>
    public static int MillisecondsTo(TimeSpan time, TimeSpan now) => time == TimeSpan.MaxValue
        ? -1
        : (int)Math.Clamp(Math.Ceiling((time - now).TotalMilliseconds), 0, int.MaxValue);
}
