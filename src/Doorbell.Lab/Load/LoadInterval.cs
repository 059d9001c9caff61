namespace Doorbell.Lab.Load;

/// <summary>What came in a short time of a run.</summary>
/// <param name="Begin">When it began, since the run did.</param>
/// <param name="Length">How long it was.</param>
/// <param name="Requests">Right answers that came in it.</param>
/// <param name="Failed">Requests that failed in it.</param>
/// <param name="P50">Half of the answers took no longer, in nanoseconds.</param>
/// <param name="P99">99 of 100 took no longer.</param>
/// <param name="Max">The longest.</param>
public sealed record LoadInterval(TimeSpan Begin, TimeSpan Length, long Requests, long Failed, long P50, long P99, long Max)
{
    /// <summary>Right answers a second.</summary>
    public double RequestsPerSecond => Requests / Length.TotalSeconds;
}
