using Doorbell.Links;

namespace Doorbell.Lab.Impair.Faults;

/// <summary>How bad one direction is.</summary>
/// <param name="Link">For datagrams all of it; for a stream its delay, jitter, rate and queue.</param>
/// <param name="Stream">For streams alone.</param>
public sealed record WayFaults(LinkOptions Link, StreamFaults Stream)
{
    /// <summary>A perfect direction.</summary>
    public static WayFaults None { get; } = new(LinkOptions.Perfect, StreamFaults.None);

    /// <summary>How many connections, or clients that send datagrams, have these faults: 0 to 1. For the others all is perfect.</summary>
    public double Share { get; init; } = 1;
}
