namespace Doorbell.Lab.Impair.Faults;

/// <summary>What is done to one direction of every connection, beside delay, jitter and rate. The defaults are nothing.</summary>
public sealed record StreamFaults
{
    /// <summary>Nothing is done.</summary>
    public static StreamFaults None { get; } = new();

    /// <summary>Bytes of the pieces that the stream is cut into; null to leave it as it comes.</summary>
    public int? SliceBytes { get; init; }

    /// <summary>The least time between two such pieces.</summary>
    public TimeSpan SliceGap { get; init; }

    /// <summary>By how many bytes, more or less, such a piece differs; it has at least one.</summary>
    public int SliceVariation { get; init; }

    /// <summary>So many bytes pass, then nothing does, and nobody is told; null for no end.</summary>
    public long? StallAfter { get; init; }

    /// <summary>So many bytes pass, then nothing does, and both peers are told an end; null for never.</summary>
    public long? CloseAfter { get; init; }

    /// <summary>How long after those bytes they are told.</summary>
    public TimeSpan CloseWait { get; init; }

    /// <summary>So many bytes pass, then nothing does, and both peers are reset; null for never.</summary>
    public long? ResetAfter { get; init; }

    /// <summary>How long after those bytes they are reset.</summary>
    public TimeSpan ResetWait { get; init; }

    /// <summary>Whether the end of the sender is kept from the receiver.</summary>
    public bool HalfOpen { get; init; }

    /// <summary>How much later than the bytes before it an end is passed on.</summary>
    public TimeSpan SlowClose { get; init; }
}
