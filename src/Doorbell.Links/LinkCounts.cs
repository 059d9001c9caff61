namespace Doorbell.Links;

/// <summary>How many datagrams had which fate on a <see cref="Link"/>.</summary>
public sealed record LinkCounts
{
    /// <summary>Datagrams that came.</summary>
    public required long Received { get; init; }

    /// <summary>Datagrams that arrive, or will; copies are among them.</summary>
    public required long Delivered { get; init; }

    /// <summary>Datagrams that arrive twice.</summary>
    public required long Duplicated { get; init; }

    /// <summary>Datagrams held back for others to overtake them.</summary>
    public required long Reordered { get; init; }

    /// <summary>Datagrams with a bit flipped.</summary>
    public required long Corrupted { get; init; }

    /// <summary>Datagrams lost, by <see cref="LinkDrop"/> (its value is the index).</summary>
    public required IReadOnlyList<long> Drops { get; init; }

    /// <summary>All datagrams lost.</summary>
    public long Dropped => Drops.Sum();

    /// <summary>Datagrams lost because of <paramref name="why"/>.</summary>
    /// <param name="why">The cause.</param>
    public long DroppedBy(LinkDrop why) => Drops[(int)why];
}
