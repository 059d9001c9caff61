using System.Buffers;
using System.Globalization;
using System.Text;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Signaling;

/// <summary>
/// One end of a connection that carries CoAP (RFC 8323): it takes the messages out of the bytes, and answers those that concern the
/// connection itself. The same at a client and at a server.
/// </summary>
/// <param name="maxMessageBytes">The largest message that we take, in bytes.</param>
internal sealed class CoapSignaling(int maxMessageBytes)
{
    /// <summary>Max-Message-Size of a peer that has told none (RFC 8323 section 5.3.1).</summary>
    public const int BaseMessageBytes = 1152;

    private const int MaxSignalOptionBytes = 16;

    /// <summary>Whether the peer's CSM has come.</summary>
    public bool HasCapabilities { get; private set; }

    /// <summary>The largest message that the peer takes, in bytes.</summary>
    public int PeerMaxMessageBytes { get; private set; } = BaseMessageBytes;

    /// <summary>Whether the peer takes blocks.</summary>
    public bool PeerTakesBlocks { get; private set; }

    /// <summary>Whether the peer takes several blocks in one message (RFC 8323 section 5.3.2).</summary>
    public bool PeerTakesBert => PeerTakesBlocks && PeerMaxMessageBytes > BaseMessageBytes;

    /// <summary>Whether the peer wants no more requests: it ends the connection when it has answered those that it has.</summary>
    public bool IsReleased { get; private set; }

    /// <summary>Pongs that have come.</summary>
    public int Pongs { get; private set; }

    /// <summary>Why the connection is over, in a few words for people, with the peer's bytes escaped; null if it is not.</summary>
    public string? EndedBy { get; private set; }

    /// <summary>Writes our CSM.</summary>
    public void Open(IBufferWriter<byte> output)
    {
        Span<byte> bytes = stackalloc byte[MaxSignalOptionBytes];
        CoapWriter writer = new(bytes);
        writer.Option(CoapSignalOption.MaxMessageSize, (uint)maxMessageBytes);
        writer.Option(CoapSignalOption.BlockWiseTransfer, []);
        CoapFrame.Write(output, CoapSignalCode.Capabilities, default, bytes[..writer.Length], default);
    }

    /// <summary>Writes an empty signaling message: a ping or a release.</summary>
    public static void Send(IBufferWriter<byte> output, CoapCode code) => CoapFrame.Write(output, code, default, default, default);

    /// <summary>Ends the connection, since we can't go on.</summary>
    /// <param name="output">Where the peer is told.</param>
    /// <param name="why">In English.</param>
    /// <param name="badOption">The critical option of the peer's CSM that is not understood; null for none.</param>
    public CoapStreamEvent Abort(IBufferWriter<byte> output, string why, int? badOption = null)
    {
        Span<byte> bytes = stackalloc byte[MaxSignalOptionBytes];
        CoapWriter writer = new(bytes);
        if (badOption is { } option)
        {
            writer.Option(CoapSignalOption.BadCsmOption, (uint)option);
        }

        CoapFrame.Write(output, CoapSignalCode.Abort, default, bytes[..writer.Length], Encoding.UTF8.GetBytes(why));
        EndedBy = why;
        return CoapStreamEvent.Over;
    }

    /// <summary>Takes the next message.</summary>
    /// <param name="came">What has come and was not taken yet.</param>
    /// <param name="output">Where our part is written.</param>
    /// <param name="message">The request or response, if it is one.</param>
    /// <param name="length">Bytes of <paramref name="came"/> that were taken.</param>
    public CoapStreamEvent Next(ReadOnlySpan<byte> came, IBufferWriter<byte> output, out CoapMessage message, out int length)
    {
        message = default;
        length = 0;
        switch (CoapFrame.TryRead(came, maxMessageBytes, out CoapFrame frame))
        {
            case CoapFraming.Incomplete:
                return CoapStreamEvent.Incomplete;
            case CoapFraming.TooLarge:
                length = came.Length;
                return Abort(output, string.Create(
                    CultureInfo.InvariantCulture, $"The message is larger than Max-Message-Size, which is {maxMessageBytes}."));
            case CoapFraming.Broken:
                length = came.Length;
                return Abort(output, "A token has 8 bytes at most.");
        }

        length = frame.Length;
        CoapFormatError error = frame.TryReadMessage(out message);
        if (!HasCapabilities && frame.Code != CoapSignalCode.Capabilities)
        {
            return frame.Code == CoapSignalCode.Abort && error == CoapFormatError.None
                ? Aborted(message)
                : Abort(output, "The first message must be a CSM (RFC 8323 section 5.3).");
        }

        if (frame.Code == CoapCode.Empty)
        {
            // It may be sent to keep the connection alive, and means nothing (RFC 8323 section 3.4).
            return CoapStreamEvent.Handled;
        }

        if (error != CoapFormatError.None)
        {
            return Abort(output, "The message's options can't be read.");
        }

        return frame.Code.Class == CoapSignalCode.Class ? TakeSignal(message, output)
            : frame.Code.IsRequest || frame.Code.IsResponse ? CoapStreamEvent.Message
            : Abort(output, $"{frame.Code} is a reserved code.");
    }

    private CoapStreamEvent TakeSignal(in CoapMessage message, IBufferWriter<byte> output)
    {
        if (FirstCritical(message.Options) is { } critical)
        {
            // None is known so far, and a critical one must be understood (RFC 8323 section 5.2).
            bool isCapability = message.Code == CoapSignalCode.Capabilities;
            return Abort(output, $"Option {critical} of {message.Code} is not understood.", isCapability ? critical : null);
        }

        if (message.Code == CoapSignalCode.Capabilities)
        {
            return TakeCapabilities(message, output);
        }

        if (message.Code == CoapSignalCode.Ping)
        {
            Pong(message, output);
            return CoapStreamEvent.Handled;
        }

        if (message.Code == CoapSignalCode.Pong)
        {
            Pongs++;
            return CoapStreamEvent.Handled;
        }

        if (message.Code == CoapSignalCode.Release)
        {
            IsReleased = true;
            return CoapStreamEvent.Handled;
        }

        return message.Code == CoapSignalCode.Abort ? Aborted(message) : Abort(output, $"{message.Code} is not understood.");
    }

    /// <summary>What a CSM tells holds from there on; what it does not tell stays as it was (RFC 8323 section 5.3).</summary>
    private CoapStreamEvent TakeCapabilities(in CoapMessage message, IBufferWriter<byte> output)
    {
        HasCapabilities = true;
        if (message.Options.TryGet(CoapSignalOption.MaxMessageSize, out CoapOption size))
        {
            if (size.Value.Length > sizeof(uint))
            {
                return Abort(output, "Max-Message-Size has 4 bytes at most.");
            }

            PeerMaxMessageBytes = (int)Math.Min(size.Numeric, int.MaxValue);
        }

        PeerTakesBlocks |= message.Options.TryGet(CoapSignalOption.BlockWiseTransfer, out _);
        return CoapStreamEvent.Handled;
    }

    /// <summary>
    /// Requests are answered in the order in which they come, so what came before the ping is done (Custody, RFC 8323 section 5.4.1).
    /// </summary>
    private static void Pong(in CoapMessage ping, IBufferWriter<byte> output)
    {
        Span<byte> bytes = stackalloc byte[MaxSignalOptionBytes];
        CoapWriter writer = new(bytes);
        if (ping.Options.TryGet(CoapSignalOption.Custody, out _))
        {
            writer.Option(CoapSignalOption.Custody, []);
        }

        CoapFrame.Write(output, CoapSignalCode.Pong, ping.Token, bytes[..writer.Length], default);
    }

    private CoapStreamEvent Aborted(in CoapMessage message)
    {
        string why = message.Payload.IsEmpty ? "without saying why" : $"\"{PrintableText.Escape(message.Payload)}\"";
        EndedBy = $"the peer has aborted the connection: {why}";
        return CoapStreamEvent.Over;
    }

    private static int? FirstCritical(CoapOptions options)
    {
        foreach (CoapOption option in options)
        {
            if (CoapOptionNumber.IsCritical(option.Number))
            {
                return option.Number;
            }
        }

        return null;
    }
}
