using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>Writes a server's datagrams into one buffer, and gives its own messages their IDs.</summary>
/// <param name="maxBytes">Bytes of the largest datagram.</param>
/// <param name="firstMessageId">The ID of the first message.</param>
internal sealed class CoapResponseWriter(int maxBytes, ushort firstMessageId)
{
    private readonly byte[] _datagram = new byte[maxBytes];
    private ushort _nextMessageId = firstMessageId;

    public ushort NextMessageId() => _nextMessageId++;

    /// <summary>A datagram, valid until the next one is written.</summary>
    public ReadOnlySpan<byte> Write(
        CoapType type, CoapResponse response, ushort messageId, CoapToken token, scoped ReadOnlySpan<byte> payload)
    {
        CoapWriter writer = new(_datagram, type, response.Code, messageId, token);
        response.Write(ref writer, payload);
        return _datagram.AsSpan(0, writer.Length);
    }

    /// <summary>
    /// The response to a request: piggybacked on the acknowledgement of a confirmable one, a message of its own to another. An empty code
    /// stands for a response that comes later: a confirmable request is then acknowledged alone (RFC 7252 section 5.2.2).
    /// </summary>
    public ReadOnlySpan<byte> Write(scoped in CoapExchangeContext exchange, CoapResponse response, scoped ReadOnlySpan<byte> payload)
    {
        bool isLater = response.Code == CoapCode.Empty;
        if (!exchange.IsConfirmable)
        {
            return isLater ? default : Write(CoapType.NonConfirmable, response, NextMessageId(), exchange.Message.Token, payload);
        }

        CoapToken token = isLater ? default : exchange.Message.Token;
        return Write(CoapType.Acknowledgement, response, exchange.Message.MessageId, token, payload);
    }
}
