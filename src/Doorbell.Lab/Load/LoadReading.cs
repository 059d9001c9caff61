namespace Doorbell.Lab.Load;

/// <summary>How far a run is.</summary>
/// <param name="Elapsed">Since all connections were open.</param>
/// <param name="Last">The last piece of it; null at first.</param>
/// <param name="Open">How many connections are open.</param>
/// <param name="Failed">Requests that failed so far.</param>
public sealed record LoadReading(TimeSpan Elapsed, LoadInterval? Last, int Open, long Failed);
