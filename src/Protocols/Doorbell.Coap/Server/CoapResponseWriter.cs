using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>Writes a server's datagrams into one buffer.</summary>
/// <remarks>
/// A message of the server's own has the message ID of the request that it answers. No ID may come again to one peer within
/// EXCHANGE_LIFETIME (RFC 7252 section 4.4). The peer keeps that rule for its requests, and each of them is answered by one message of
/// ours at most; so the server keeps the rule too, and needs no counter for each peer.
/// </remarks>
/// <param name="maxBytes">Bytes of the largest datagram.</param>
internal sealed class CoapResponseWriter(int maxBytes)
{
    private readonly byte[] _datagram = new byte[maxBytes];

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
        if (isLater && !exchange.IsConfirmable)
        {
            return default;
        }

        CoapType type = exchange.IsConfirmable ? CoapType.Acknowledgement : CoapType.NonConfirmable;
        return Write(type, response, exchange.Message.MessageId, isLater ? default : exchange.Message.Token, payload);
    }
}
