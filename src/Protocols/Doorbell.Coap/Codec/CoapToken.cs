namespace Doorbell.Coap.Codec;

/// <summary>What ties an answer to its question: 0 to 8 bytes, chosen by the client (RFC 7252 section 5.3.1).</summary>
/// <param name="Bits">The bytes as a big-endian number.</param>
/// <param name="Length">How many bytes: 0 to 8.</param>
internal readonly record struct CoapToken(ulong Bits, int Length)
{
    /// <summary>Most bytes.</summary>
    public const int MaxLength = 8;

    /// <summary>The token in these bytes.</summary>
    /// <param name="bytes">0 to 8.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than 8.</exception>
    public static CoapToken From(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxLength, nameof(bytes));
        return new CoapToken(CoapUint.Read(bytes), bytes.Length);
    }

    /// <summary>Writes its bytes.</summary>
    /// <param name="bytes">At least <see cref="Length"/> bytes of room.</param>
    public void WriteTo(Span<byte> bytes)
    {
        for (int index = 0; index < Length; index++)
        {
            bytes[index] = (byte)(Bits >> (8 * (Length - 1 - index)));
        }
    }
}
