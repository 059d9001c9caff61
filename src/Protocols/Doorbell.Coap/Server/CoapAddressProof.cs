using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// Which peers have proved their addresses, and what an unproved address may get: addresses of datagrams can be forged, and a server that
/// answers much to a forged one floods its owner (RFC 9175 section 2.4). A peer proves its address by sending an Echo value back.
/// </summary>
internal sealed class CoapAddressProof(CoapServerLimits limits, byte[] echoKey)
{
    /// <summary>The first block of a response beside token, format and body: the header, ETag, Block2 and the payload's marker.</summary>
    private const int FirstBlockOverhead = CoapMessage.HeaderBytes + 9 + 2 + 1;

    /// <summary>Bytes of a Content-Format option.</summary>
    private const int FormatBytes = 3;

    /// <summary>Most bytes of the Block1 option in the response to a body of one block.</summary>
    private const int Block1Bytes = 3;

    private readonly CoapEcho _echo = new(echoKey, limits.EchoWindow);
    private readonly CoapProvedPeers _proved = new(limits.MaxProvedPeers, limits.ProofLifetime);

    /// <summary>Requests that were answered by a challenge.</summary>
    public long Challenges { get; private set; }

    /// <summary>Peers whose proof still counts.</summary>
    public int Count => _proved.Count;

    public void Expire(TimeSpan now) => _proved.Expire(now);

    /// <summary>
    /// Whether the peer has proved its address lately, or need not: an address of this machine can't be forged from outside.
    /// </summary>
    public bool IsProved(PeerAddress peer, TimeSpan now) =>
        limits.MaxAmplification == 0 || peer.IsLoopback || _proved.Contains(peer, now);

    /// <summary>Takes the request's Echo value as a proof, if it is a good one.</summary>
    public void TryProve(ref CoapExchangeContext exchange)
    {
        if (!exchange.IsProved && _echo.IsGood(exchange.Path.Peer, exchange.At.Now, exchange.Options.Echo))
        {
            _proved.Add(exchange.Path.Peer, exchange.At.Now);
            exchange.IsProved = true;
        }
    }

    /// <summary>Bytes that an unproved address may get for this datagram.</summary>
    public long Allowance(ReadOnlySpan<byte> datagram) => (long)datagram.Length * limits.MaxAmplification;

    /// <summary>
    /// Whether the peer must prove its address before the request is processed. An effect can't be undone when the response turns out to be
    /// larger than an unproved address may get; and what is kept for the peer takes the room of others (RFC 9175 section 2.3).
    /// </summary>
    public bool IsNeeded(CoapResource resource, scoped in CoapExchangeContext exchange)
    {
        if (exchange.IsProved || exchange.IsInBlocks || resource.IsSlow)
        {
            return !exchange.IsProved;
        }

        // A body of unknown length can be cut into the smallest blocks.
        int body = Math.Min(resource.MaxAnswerBytes ?? CoapBlock.MinSize, CoapBlock.MinSize << limits.BlockExponent);
        return resource.HasEffect && !exchange.Message.Code.IsSafe && body > RoomForBody(resource, exchange);
    }

    /// <summary>Bytes of body that an unproved peer's first block may have; negative if not even an empty one fits.</summary>
    public long RoomForBody(CoapResource resource, scoped in CoapExchangeContext exchange) => Allowance(exchange.Datagram)
        - FirstBlockOverhead
        - exchange.Message.Token.Length
        - (resource.ContentFormat is null ? 0 : FormatBytes)
        - (exchange.Options.Block1 is null ? 0 : Block1Bytes);

    /// <summary>The response that asks the peer to send the request again with an Echo value (RFC 9175 section 2.3).</summary>
    public CoapResponse Challenge(scoped in CoapExchangeContext exchange)
    {
        Challenges++;

        // A request without token and path is smaller than a third of this. It gets no Echo value, and so can't go on.
        int length = CoapMessage.HeaderBytes + exchange.Message.Token.Length + 2 + sizeof(ulong);
        return length > Allowance(exchange.Datagram)
            ? new CoapResponse(CoapCode.Unauthorized)
            : new CoapResponse(CoapCode.Unauthorized) { Echo = _echo.ValueFor(exchange.Path.Peer, exchange.At.Now) };
    }
}
