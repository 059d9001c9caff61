using System.Buffers.Binary;
using System.Text;

namespace Doorbell.Coap.Codec;

/// <summary>Writes a CoAP message into a span: the header, then options by ascending number, then the payload.</summary>
internal ref struct CoapWriter
{
    private readonly Span<byte> _bytes;
    private int _number;

    /// <summary>Begins a message.</summary>
    /// <param name="bytes">Where it is written; too little room throws.</param>
    /// <param name="type">Its type.</param>
    /// <param name="code">Its code.</param>
    /// <param name="messageId">Its ID.</param>
    /// <param name="token">Its token; none if it is empty.</param>
    public CoapWriter(Span<byte> bytes, CoapType type, CoapCode code, ushort messageId, CoapToken token)
    {
        _bytes = bytes;
        bytes[0] = (byte)(0x40 | ((int)type << 4) | token.Length);
        bytes[1] = code.Value;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], messageId);
        token.WriteTo(bytes[CoapMessage.HeaderBytes..]);
        Length = CoapMessage.HeaderBytes + token.Length;
    }

    /// <summary>Begins the options of a message, without its header; <see cref="CoapFrame"/> writes that.</summary>
    /// <param name="bytes">Where they are written; too little room throws.</param>
    public CoapWriter(Span<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Adds an option.</summary>
    /// <param name="number">At least the last one's; up to 65,535.</param>
    /// <param name="value">Up to 65,804 bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of order or too large.</exception>
    public void Option(int number, scoped ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, _number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, ushort.MaxValue);
        int first = Length++;
        int delta = Extend(number - _number);
        int length = Extend(value.Length);
        _bytes[first] = (byte)((delta << 4) | length);
        value.CopyTo(_bytes[Length..]);
        Length += value.Length;
        _number = number;
    }

    /// <summary>Adds an option whose value is a number.</summary>
    /// <param name="number">As for bytes.</param>
    /// <param name="value">The value.</param>
    public void Option(int number, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Option(number, bytes[..CoapUint.Write(value, bytes)]);
    }

    /// <summary>Ends the message with a payload; with an empty one nothing is written.</summary>
    /// <param name="payload">Copied.</param>
    public void Payload(scoped ReadOnlySpan<byte> payload)
    {
        if (!payload.IsEmpty)
        {
            _bytes[Length++] = CoapMessage.PayloadMarker;
            payload.CopyTo(_bytes[Length..]);
            Length += payload.Length;
        }
    }

    /// <summary>Ends the message with a text, or without one if there is too little room for it.</summary>
    /// <param name="text">Of at least one character.</param>
    public void TextPayload(string text)
    {
        if (Length < _bytes.Length && Encoding.UTF8.TryGetBytes(text, _bytes[(Length + 1)..], out int bytes))
        {
            _bytes[Length] = CoapMessage.PayloadMarker;
            Length += 1 + bytes;
        }
    }

    private int Extend(int value)
    {
        if (value < 13)
        {
            return value;
        }

        if (value < 269)
        {
            _bytes[Length++] = (byte)(value - 13);
            return 13;
        }

        BinaryPrimitives.WriteUInt16BigEndian(_bytes[Length..], checked((ushort)(value - 269)));
        Length += sizeof(ushort);
        return 14;
    }
}
