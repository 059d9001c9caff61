namespace Doorbell.Coap.Codec;

/// <summary>Which block of a body: its number, its size and whether more follow (RFC 7959 section 2.2).</summary>
/// <param name="Number">From 0, in blocks of this size; up to 1,048,575.</param>
/// <param name="More">Whether more follow, or in a request that asks for a block nothing.</param>
/// <param name="SizeExponent">
/// 0 to 6: the size is 16 to 1,024 bytes. 7 is reserved over datagrams, and over streams stands for several blocks of 1,024 bytes in one
/// message (BERT, RFC 8323 section 6).
/// </param>
internal readonly record struct CoapBlock(int Number, bool More, int SizeExponent)
{
    /// <summary>The largest block's exponent: 1,024 bytes.</summary>
    public const int MaxSizeExponent = 6;

    /// <summary>The exponent of several blocks of 1,024 bytes in one message.</summary>
    public const int BertExponent = 7;

    /// <summary>The smallest block's size, in bytes.</summary>
    internal const int MinSize = 16;

    private const int MaxNumber = (1 << 20) - 1;

    /// <summary>Bytes of each block but the last.</summary>
    public int Size => MinSize << Math.Min(SizeExponent, MaxSizeExponent);

    /// <summary>Where in the body it begins.</summary>
    public int Offset => Number * Size;

    /// <summary>As the option's value.</summary>
    public uint Value => ((uint)Number << 4) | (More ? 8u : 0) | (uint)SizeExponent;

    /// <summary>The block that begins there.</summary>
    /// <param name="offset">Where in the body; a multiple of the size.</param>
    /// <param name="more">Whether more follow.</param>
    /// <param name="exponent">Of the size.</param>
    public static CoapBlock At(int offset, bool more, int exponent) =>
        new(offset >> (Math.Min(exponent, MaxSizeExponent) + 4), more, exponent);

    /// <summary>Whether a message with this block may carry so many bytes: all of the block, or less if it is the last one.</summary>
    /// <param name="length">Bytes of the payload.</param>
    public bool Holds(int length) => SizeExponent == BertExponent
        ? !More || (length > 0 && length % Size == 0)
        : More ? length == Size : length <= Size;

    /// <summary>The block that a Block1 or Block2 option names.</summary>
    /// <param name="option">The option.</param>
    /// <param name="block">It.</param>
    /// <param name="maxExponent">The largest exponent that is none of the reserved ones.</param>
    /// <returns>Whether the value is one: over datagrams exponent 7 is reserved, and so are more than 3 bytes.</returns>
    public static bool TryRead(CoapOption option, out CoapBlock block, int maxExponent = MaxSizeExponent)
    {
        uint value = (uint)option.Numeric;
        block = new CoapBlock((int)(value >> 4) & MaxNumber, (value & 8) != 0, (int)value & 7);
        return HasLength(option) && block.SizeExponent <= maxExponent;
    }

    /// <summary>Whether a Block1 or Block2 option is as long as one may be: up to 3 bytes.</summary>
    /// <param name="option">The option.</param>
    public static bool HasLength(CoapOption option) => option.Value.Length <= 3;
}
