namespace Doorbell.Coap.Codec;

/// <summary>Which block of a body: its number, its size and whether more follow (RFC 7959 section 2.2).</summary>
/// <param name="Number">From 0, in blocks of this size; up to 1,048,575.</param>
/// <param name="More">Whether more follow, or in a request that asks for a block nothing.</param>
/// <param name="SizeExponent">0 to 6: the size is 16 to 1,024 bytes.</param>
internal readonly record struct CoapBlock(int Number, bool More, int SizeExponent)
{
    /// <summary>The largest block's exponent: 1,024 bytes.</summary>
    public const int MaxSizeExponent = 6;

    /// <summary>The smallest block's size, in bytes.</summary>
    internal const int MinSize = 16;

    private const int MaxNumber = (1 << 20) - 1;

    /// <summary>Bytes of each block but the last.</summary>
    public int Size => 16 << SizeExponent;

    /// <summary>Where in the body it begins.</summary>
    public int Offset => Number << (SizeExponent + 4);

    /// <summary>As the option's value.</summary>
    public uint Value => ((uint)Number << 4) | (More ? 8u : 0) | (uint)SizeExponent;

    /// <summary>The block that a Block1 or Block2 option names.</summary>
    /// <param name="option">The option.</param>
    /// <param name="block">It.</param>
    /// <returns>Whether the value is one: exponent 7 is reserved, and so are more than 3 bytes.</returns>
    public static bool TryRead(CoapOption option, out CoapBlock block)
    {
        uint value = (uint)option.Numeric;
        block = new CoapBlock((int)(value >> 4) & MaxNumber, (value & 8) != 0, (int)value & 7);
        return HasLength(option) && block.SizeExponent <= MaxSizeExponent;
    }

    /// <summary>Whether a Block1 or Block2 option is as long as one may be: up to 3 bytes.</summary>
    /// <param name="option">The option.</param>
    public static bool HasLength(CoapOption option) => option.Value.Length <= 3;
}
