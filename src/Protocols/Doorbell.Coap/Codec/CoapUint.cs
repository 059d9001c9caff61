namespace Doorbell.Coap.Codec;

/// <summary>Unsigned numbers in options: big-endian without leading zeros, 0 as no bytes (RFC 7252 section 3.2).</summary>
internal static class CoapUint
{
    /// <summary>The number; of more than 8 bytes the last 8.</summary>
    public static ulong Read(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        foreach (byte next in bytes)
        {
            value = (value << 8) | next;
        }

        return value;
    }

    /// <summary>Writes it and tells in how many bytes.</summary>
    public static int Write(uint value, Span<byte> bytes)
    {
        int length = value switch
        {
            0 => 0,
            <= 0xff => 1,
            <= 0xffff => 2,
            <= 0xff_ffff => 3,
            _ => 4,
        };
        for (int index = 0; index < length; index++)
        {
            bytes[index] = (byte)(value >> (8 * (length - 1 - index)));
        }

        return length;
    }
}
