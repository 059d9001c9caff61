using Doorbell.Links;

namespace Doorbell.Cli.Impair;

/// <summary>How bad one direction is.</summary>
/// <param name="Link">For datagrams all of it; for a stream its delay, jitter, rate and queue.</param>
/// <param name="Stream">For streams alone.</param>
internal sealed record WayFaults(LinkOptions Link, StreamFaults Stream)
{
    public static WayFaults None { get; } = new(LinkOptions.Perfect, StreamFaults.None);
}
