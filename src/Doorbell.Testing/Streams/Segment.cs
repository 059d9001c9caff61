namespace Doorbell.Testing;

/// <summary>A segment of a stream that has not been taken in order yet.</summary>
internal struct Segment
{
    public SegmentKind Kind;

    /// <summary>How often it was sent.</summary>
    public byte Sent;
    public bool HasArrived;
    public int Length;
}
