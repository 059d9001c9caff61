namespace Doorbell.Bench;

/// <summary>Of many durations, in nanoseconds.</summary>
internal sealed record Percentiles(long P50, long P90, long P99, long P999, long Max);
