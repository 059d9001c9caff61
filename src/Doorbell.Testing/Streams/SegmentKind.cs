namespace Doorbell.Testing;

/// <summary>What a segment of a stream carries.</summary>
internal enum SegmentKind : byte
{
    /// <summary>The client's acknowledgement that ends the handshake.</summary>
    Open,

    /// <summary>Bytes.</summary>
    Data,

    /// <summary>FIN.</summary>
    End,
}
