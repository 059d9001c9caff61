using System.Buffers.Binary;

namespace Doorbell.Coap.Codec;

/// <summary>A CoAP message as received (RFC 7252 section 3): a view of the datagram, lent as that is.</summary>
internal readonly ref struct CoapMessage
{
    internal const int HeaderBytes = 4;
    internal const byte PayloadMarker = 0xff;
    private const int Version = 1;

    private CoapMessage(ReadOnlySpan<byte> header, CoapToken token, CoapOptions options, ReadOnlySpan<byte> payload)
    {
        Type = (CoapType)((header[0] >> 4) & 3);
        Code = new CoapCode(header[1]);
        MessageId = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        Token = token;
        Options = options;
        Payload = payload;
    }

    private CoapMessage(CoapCode code, CoapToken token, CoapOptions options, ReadOnlySpan<byte> payload)
    {
        Type = CoapType.Confirmable;
        Code = code;
        Token = token;
        Options = options;
        Payload = payload;
    }

    /// <summary>The type. A message from a stream has none: it arrives as a confirmable one does.</summary>
    public CoapType Type { get; }

    /// <summary>The method, the answer's code, or empty.</summary>
    public CoapCode Code { get; }

    /// <summary>Tells duplicates, and which message is acknowledged or reset.</summary>
    public ushort MessageId { get; }

    /// <summary>Ties answers to questions.</summary>
    public CoapToken Token { get; }

    /// <summary>The options, checked for form only.</summary>
    public CoapOptions Options { get; }

    /// <summary>The payload; may be empty.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads a datagram; never throws.</summary>
    /// <param name="datagram">All of it, from anyone.</param>
    /// <param name="message">
    /// The message. With an error behind a good header its type, code and message ID are there nevertheless, to reset it by.
    /// </param>
    /// <returns>What is wrong, or <see cref="CoapFormatError.None"/>.</returns>
    public static CoapFormatError TryRead(ReadOnlySpan<byte> datagram, out CoapMessage message)
    {
        message = default;
        if (datagram.Length < HeaderBytes)
        {
            return CoapFormatError.TooShort;
        }

        if (datagram[0] >> 6 != Version)
        {
            return CoapFormatError.UnknownVersion;
        }

        message = new CoapMessage(datagram, default, default, default);
        CoapFormatError error = CheckHeader(datagram, message);
        return error != CoapFormatError.None ? error : TryReadBody(datagram, ref message);
    }

    private static CoapFormatError CheckHeader(ReadOnlySpan<byte> datagram, CoapMessage message)
    {
        int tokenLength = datagram[0] & 15;
        if (tokenLength > CoapToken.MaxLength)
        {
            return CoapFormatError.TokenTooLong;
        }

        if (message.Code == CoapCode.Empty)
        {
            return datagram.Length > HeaderBytes || message.Type == CoapType.NonConfirmable || tokenLength > 0
                ? CoapFormatError.EmptyMisused
                : CoapFormatError.None;
        }

        if (message.Type == CoapType.Reset)
        {
            return CoapFormatError.EmptyMisused;
        }

        bool isKnown = message.Code.IsResponse || (message.Code.IsRequest && message.Type != CoapType.Acknowledgement);
        return !isKnown ? CoapFormatError.ReservedCode
            : datagram.Length < HeaderBytes + tokenLength ? CoapFormatError.TokenCut
            : CoapFormatError.None;
    }

    /// <summary>Reads a message that came over a stream; <see cref="CoapFrame"/> knows where it ends. Never throws.</summary>
    /// <param name="code">Its code.</param>
    /// <param name="token">Its token; up to 8 bytes.</param>
    /// <param name="body">All that stands behind the token.</param>
    /// <param name="message">The message, if nothing is wrong with it.</param>
    /// <returns>What is wrong, or <see cref="CoapFormatError.None"/>.</returns>
    public static CoapFormatError TryRead(
        CoapCode code, ReadOnlySpan<byte> token, ReadOnlySpan<byte> body, out CoapMessage message)
    {
        message = default;
        CoapFormatError error = TryReadBody(body, out CoapOptions options, out ReadOnlySpan<byte> payload);
        if (error == CoapFormatError.None)
        {
            message = new CoapMessage(code, CoapToken.From(token), options, payload);
        }

        return error;
    }

    private static CoapFormatError TryReadBody(ReadOnlySpan<byte> datagram, ref CoapMessage message)
    {
        int tokenLength = datagram[0] & 15;
        CoapFormatError error = TryReadBody(
            datagram[(HeaderBytes + tokenLength)..], out CoapOptions options, out ReadOnlySpan<byte> payload);
        if (error == CoapFormatError.None)
        {
            message = new CoapMessage(datagram, CoapToken.From(datagram.Slice(HeaderBytes, tokenLength)), options, payload);
        }

        return error;
    }

    private static CoapFormatError TryReadBody(ReadOnlySpan<byte> all, out CoapOptions options, out ReadOnlySpan<byte> payload)
    {
        options = default;
        payload = default;
        ReadOnlySpan<byte> rest = all;
        int number = 0;
        while (!rest.IsEmpty && rest[0] != PayloadMarker)
        {
            CoapFormatError error = CoapOptions.TryReadNext(ref rest, ref number, out _);
            if (error != CoapFormatError.None)
            {
                return error;
            }
        }

        if (rest.Length == 1)
        {
            return CoapFormatError.EmptyPayload;
        }

        options = new CoapOptions(all[..^rest.Length]);
        payload = rest.IsEmpty ? default : rest[1..];
        return CoapFormatError.None;
    }
}
