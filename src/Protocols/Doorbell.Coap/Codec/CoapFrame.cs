using System.Buffers;
using System.Buffers.Binary;

namespace Doorbell.Coap.Codec;

/// <summary>
/// Where a message begins and ends in a stream (RFC 8323 section 3.2): a length and the token's length share a byte, the length may go on
/// in 1, 2 or 4 more; then come the code, the token, and as many bytes of options and payload as the length says.
/// </summary>
internal readonly ref struct CoapFrame
{
    /// <summary>Most bytes before the token.</summary>
    private const int MaxHeaderBytes = 6;

    private const int ByteLength = 13;
    private const int ShortLength = 14;
    private const int FirstOfByte = 13;
    private const int FirstOfShort = 269;
    private const int FirstOfInt = 65_805;

    private readonly ReadOnlySpan<byte> _token;
    private readonly ReadOnlySpan<byte> _body;

    private CoapFrame(int length, CoapCode code, ReadOnlySpan<byte> token, ReadOnlySpan<byte> body)
    {
        Length = length;
        Code = code;
        _token = token;
        _body = body;
    }

    /// <summary>All its bytes.</summary>
    public int Length { get; }

    /// <summary>Its code.</summary>
    public CoapCode Code { get; }

    /// <summary>Looks for a frame at the beginning of what has come; never throws.</summary>
    /// <param name="came">From anyone.</param>
    /// <param name="maxBytes">The largest frame that is taken.</param>
    /// <param name="frame">The frame, if it is whole.</param>
    public static CoapFraming TryRead(ReadOnlySpan<byte> came, int maxBytes, out CoapFrame frame)
    {
        frame = default;
        if (came.IsEmpty)
        {
            return CoapFraming.Incomplete;
        }

        int tokenLength = came[0] & 15;
        if (tokenLength > CoapToken.MaxLength)
        {
            return CoapFraming.Broken;
        }

        int nibble = came[0] >> 4;
        int extension = nibble < ByteLength ? 0 : 1 << (nibble - ByteLength);
        if (came.Length < 1 + extension)
        {
            return CoapFraming.Incomplete;
        }

        ReadOnlySpan<byte> more = came.Slice(1, extension);
        long bodyLength = extension switch
        {
            0 => nibble,
            1 => FirstOfByte + more[0],
            2 => FirstOfShort + BinaryPrimitives.ReadUInt16BigEndian(more),
            _ => (long)FirstOfInt + BinaryPrimitives.ReadUInt32BigEndian(more),
        };
        int before = 1 + extension + 1 + tokenLength;
        if (before + bodyLength > maxBytes)
        {
            return CoapFraming.TooLarge;
        }

        if (came.Length < before + bodyLength)
        {
            return CoapFraming.Incomplete;
        }

        CoapCode code = new(came[1 + extension]);
        frame = new CoapFrame(
            before + (int)bodyLength, code, came.Slice(before - tokenLength, tokenLength), came.Slice(before, (int)bodyLength));
        return CoapFraming.Whole;
    }

    /// <summary>Reads the message in the frame; never throws.</summary>
    /// <param name="message">The message, if nothing is wrong with it.</param>
    /// <returns>What is wrong, or <see cref="CoapFormatError.None"/>.</returns>
    public CoapFormatError TryReadMessage(out CoapMessage message) => CoapMessage.TryRead(Code, _token, _body, out message);

    /// <summary>Writes a whole message.</summary>
    /// <param name="output">Where.</param>
    /// <param name="code">Its code.</param>
    /// <param name="token">Its token.</param>
    /// <param name="options">As a <see cref="CoapWriter"/> writes them.</param>
    /// <param name="payload">May be empty.</param>
    public static void Write(
        IBufferWriter<byte> output, CoapCode code, CoapToken token, ReadOnlySpan<byte> options, ReadOnlySpan<byte> payload)
    {
        int length = options.Length + (payload.IsEmpty ? 0 : 1 + payload.Length);
        Span<byte> room = output.GetSpan(MaxHeaderBytes + token.Length + length);
        int extension = length switch { < FirstOfByte => 0, < FirstOfShort => 1, < FirstOfInt => 2, _ => 4 };
        int nibble = extension switch { 0 => length, 1 => ByteLength, 2 => ShortLength, _ => 15 };
        room[0] = (byte)((nibble << 4) | token.Length);
        if (extension == 1)
        {
            room[1] = (byte)(length - FirstOfByte);
        }
        else if (extension == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(room[1..], (ushort)(length - FirstOfShort));
        }
        else if (extension == 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(room[1..], (uint)(length - FirstOfInt));
        }

        int at = 1 + extension;
        room[at++] = code.Value;
        token.WriteTo(room[at..]);
        at += token.Length;
        options.CopyTo(room[at..]);
        at += options.Length;
        if (!payload.IsEmpty)
        {
            room[at++] = CoapMessage.PayloadMarker;
            payload.CopyTo(room[at..]);
            at += payload.Length;
        }

        output.Advance(at);
    }
}
