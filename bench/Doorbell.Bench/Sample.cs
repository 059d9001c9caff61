namespace Doorbell.Bench;

/// <summary>What one server did in one round.</summary>
/// <param name="Figure">What the row is about.</param>
/// <param name="Load">All that the load told, if it is about a load.</param>
/// <param name="Memory">By connections, if it is about memory.</param>
internal sealed record Sample(double Figure, LoadReport? Load, IReadOnlyList<MemoryPoint> Memory);
