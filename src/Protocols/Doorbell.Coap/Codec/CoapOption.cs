namespace Doorbell.Coap.Codec;

/// <summary>One option of a message; lent as the message is.</summary>
internal readonly ref struct CoapOption
{
    internal CoapOption(int number, ReadOnlySpan<byte> value)
    {
        Number = number;
        Value = value;
    }

    /// <summary>Which; see <see cref="CoapOptionNumber"/>.</summary>
    public int Number { get; }

    /// <summary>Its bytes.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>The value as an unsigned number; of more than 8 bytes the last 8.</summary>
    public ulong Numeric => CoapUint.Read(Value);
}
