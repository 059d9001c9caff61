namespace Doorbell.Sessions;

/// <summary>
/// A server's reply as textbook servers write it: it ends at LF or NUL or with the connection, may come byte by byte, and may drag a
/// tail of NULs behind it (a C server writes its whole buffer), which is no part of this reply or the next.
/// </summary>
public static class LineReply
{
    /// <summary>Finds the first whole reply.</summary>
    /// <param name="received">All bytes not consumed so far.</param>
    /// <param name="reply">The reply, without its end.</param>
    /// <returns>Bytes consumed, the end included; 0 if there is no whole reply yet.</returns>
    public static int TryRead(ReadOnlySpan<byte> received, out ReadOnlySpan<byte> reply)
    {
        int start = TailLength(received);
        int length = received[start..].IndexOfAny((byte)'\n', (byte)0);
        reply = length < 0 ? [] : WithoutCarriageReturn(received.Slice(start, length));
        return length < 0 ? 0 : start + length + 1;
    }

    /// <summary>What there is of a reply at the connection's end, without NULs around it.</summary>
    /// <param name="received">All bytes not consumed so far.</param>
    public static ReadOnlySpan<byte> AtEnd(ReadOnlySpan<byte> received) => WithoutCarriageReturn(received.Trim((byte)0));

    /// <summary>A datagram's text, without a line's end or a padding of NULs.</summary>
    /// <param name="datagram">The whole datagram.</param>
    public static ReadOnlySpan<byte> OfDatagram(ReadOnlySpan<byte> datagram)
    {
        ReadOnlySpan<byte> text = datagram.TrimEnd((byte)0);
        return WithoutCarriageReturn(text is [.. var line, (byte)'\n'] ? line : text);
    }

    private static int TailLength(ReadOnlySpan<byte> received)
    {
        int first = received.IndexOfAnyExcept((byte)0);
        return first < 0 ? received.Length : first;
    }

    private static ReadOnlySpan<byte> WithoutCarriageReturn(ReadOnlySpan<byte> line) => line is [.. var text, (byte)'\r'] ? text : line;
}
