namespace Doorbell.Testing;

/// <summary>What a lane has in the place of a socket: one end of a stream.</summary>
internal abstract class StreamTransport
{
    /// <summary>Bytes that can be received now.</summary>
    public abstract int Readable { get; }

    /// <summary>Whether the peer's end of input is next.</summary>
    public abstract bool AtEnd { get; }

    /// <summary>Why nothing more can be received or sent: the peer has reset it, or it timed out; null while it lasts.</summary>
    public abstract CloseReason? Lost { get; }

    /// <summary>Bytes that can be sent now.</summary>
    public abstract int Room { get; }

    /// <summary>Takes the first bytes received; there are as many.</summary>
    public abstract void Receive(Span<byte> into);

    /// <summary>Sends; there is room.</summary>
    public abstract void Send(ReadOnlySpan<byte> bytes);

    /// <summary>Half-closes, as shutdown(2) with SHUT_WR.</summary>
    public abstract void Finish();

    /// <summary>As close(2).</summary>
    public abstract void Close();

    /// <summary>As close(2) with SO_LINGER on and 0 seconds.</summary>
    public abstract void Abort();
}
