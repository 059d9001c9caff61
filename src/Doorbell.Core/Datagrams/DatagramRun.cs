namespace Doorbell.Sessions;

/// <summary>What may be joined into one message that the kernel or the card cuts into datagrams again (UDP_SEGMENT, udp(7)).</summary>
/// <param name="MaxSegments">Datagrams in a message; 1 joins none.</param>
/// <param name="MaxSegmentBytes">Bytes of a datagram that may be joined; larger ones go alone.</param>
/// <param name="MaxBytes">Bytes of a message.</param>
public readonly record struct SegmentLimits(int MaxSegments, int MaxSegmentBytes, int MaxBytes)
{
    /// <summary>Each datagram a message of its own.</summary>
    public static SegmentLimits None { get; } = new(1, 0, 0);
}

/// <summary>
/// Datagrams of an outbox, one behind the other, that go over one path: all of one size, the last may be shorter. Or one alone.
/// </summary>
/// <param name="Count">Datagrams; at least 1.</param>
/// <param name="Offset">Where the first begins in <see cref="DatagramOutbox.Bytes"/>.</param>
/// <param name="Length">Bytes of all together.</param>
/// <param name="SegmentBytes">Bytes of each but the last.</param>
public readonly record struct DatagramRun(int Count, int Offset, int Length, int SegmentBytes);
