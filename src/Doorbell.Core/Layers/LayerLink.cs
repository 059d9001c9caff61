using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>A layer in its place among a connection's others.</summary>
internal sealed class LayerLink(StreamLayer layer, OutputBuffer wire, ArrayPool<byte> pool)
{
    /// <summary>What came from below and was not consumed yet.</summary>
    public UnconsumedInput Came = new(pool);

    public StreamLayer Layer => layer;

    public LayerState State { get; set; }

    /// <summary>What it has written for the layer below, or for the peer.</summary>
    public OutputBuffer Wire { get; set; } = wire;

    /// <summary>Whether it may take some of what <see cref="Came"/> now.</summary>
    public bool HasUntried { get; set; }

    /// <summary>Whether it unwraps.</summary>
    public bool Unwraps => State is LayerState.Opening or LayerState.Open;

    /// <summary>Whether it wraps.</summary>
    public bool Wraps => State is LayerState.Open or LayerState.PeerFinished;

    /// <summary>Bytes have come from below, or are dropped.</summary>
    /// <returns>How many were dropped.</returns>
    public int Receive(ReadOnlySpan<byte> bytes)
    {
        if (!Unwraps)
        {
            return bytes.Length;
        }

        Came.Append(bytes);
        HasUntried = !Came.IsEmpty;
        return 0;
    }

    /// <summary>Wraps all that is pending above.</summary>
    public void Wrap(OutputBuffer plain)
    {
        while (plain.Pending > 0)
        {
            ReadOnlyMemory<byte> bytes = plain.Outgoing;
            Layer.Wrap(bytes.Span, Wire);
            plain.Taken(bytes.Length);
        }
    }
}
