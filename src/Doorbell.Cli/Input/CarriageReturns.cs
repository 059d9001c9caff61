namespace Doorbell.Cli.Input;

/// <summary>Makes CRLF of each LF in a stream of bytes, as nc -C does: one that stands behind a CR already is left alone.</summary>
internal sealed class CarriageReturns
{
    private const byte CarriageReturn = (byte)'\r';
    private const byte LineFeed = (byte)'\n';

    private byte _last;

    /// <summary>The next bytes of the stream with what is added.</summary>
    public byte[] Add(ReadOnlySpan<byte> bytes)
    {
        byte[] added = new byte[bytes.Length + bytes.Count(LineFeed)];
        int count = 0;
        foreach (byte next in bytes)
        {
            if (next == LineFeed && _last != CarriageReturn)
            {
                added[count++] = CarriageReturn;
            }

            added[count++] = next;
            _last = next;
        }

        return added[..count];
    }
}
