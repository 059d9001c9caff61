using System.Diagnostics;

namespace Doorbell.Serving;

/// <summary>The time that lanes tell their sessions: CLOCK_MONOTONIC, whatever is done to the wall clock.</summary>
internal static class MonotonicClock
{
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);
}
