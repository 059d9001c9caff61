namespace Doorbell.Links;

/// <summary>What becomes of one datagram on a <see cref="Link"/>.</summary>
public readonly record struct LinkFate
{
    /// <summary>Why it is lost; <see cref="LinkDrop.None"/> if it arrives, and only then has the rest a meaning.</summary>
    public LinkDrop Drop { get; init; }

    /// <summary>When it arrives, on the clock that the link was told.</summary>
    public TimeSpan ArrivesAt { get; init; }

    /// <summary>When its copy arrives; null if it is not duplicated.</summary>
    public TimeSpan? CopyArrivesAt { get; init; }

    /// <summary>Whether it is held back for others to overtake it.</summary>
    public bool IsReordered { get; init; }

    /// <summary>Which bit is flipped, of the datagram and its copy alike; 0 is the lowest of the first byte; null if none.</summary>
    public int? CorruptedBit { get; init; }

    /// <summary>Whether it is lost.</summary>
    public bool IsDropped => Drop != LinkDrop.None;

    /// <summary>How many arrive: 0, 1 or 2.</summary>
    public int Arrivals => IsDropped ? 0 : CopyArrivesAt is null ? 1 : 2;

    /// <summary>Flips the bit, if one is to be flipped.</summary>
    /// <param name="datagram">The datagram that this is the fate of.</param>
    public void Apply(Span<byte> datagram)
    {
        if (CorruptedBit is { } bit)
        {
            datagram[bit >> 3] ^= (byte)(1 << (bit & 7));
        }
    }
}
