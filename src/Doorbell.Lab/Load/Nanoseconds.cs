using System.Diagnostics;

namespace Doorbell.Lab.Load;

/// <summary>Times of a load: nanoseconds on the monotonic clock, as Linux counts them.</summary>
internal static class Nanoseconds
{
    public static long Now => Stopwatch.GetTimestamp();

    public static long Of(TimeSpan time) => (long)time.TotalNanoseconds;

    public static TimeSpan ToTime(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
}
