namespace Doorbell.Lab.Impair.Streams;

/// <summary>What one receive gave.</summary>
/// <param name="Bytes">Rented, and longer than needed; empty at the end.</param>
/// <param name="Length">How many of them are the sender's.</param>
/// <param name="ReceivedAt">When they came.</param>
/// <param name="Kind">Bytes, or how the stream ended.</param>
internal readonly record struct StreamChunk(byte[] Bytes, int Length, TimeSpan ReceivedAt, StreamChunkKind Kind);

/// <summary>What a chunk is.</summary>
internal enum StreamChunkKind
{
    Bytes,

    /// <summary>The sender's FIN.</summary>
    End,

    /// <summary>The sender's RST.</summary>
    Reset,
}
