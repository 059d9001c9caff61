using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// Bodies that need more than one block (RFC 7959): those of requests are collected, those of responses are kept until fetched.
/// </summary>
/// <param name="limits">The server's.</param>
/// <param name="proof">Null where each peer has proved its address, as over a stream.</param>
internal sealed class CoapBlockwise(CoapServerLimits limits, CoapAddressProof? proof)
{
    private readonly CoapBodies _requests = new(limits.MaxBodies, limits.MaxBodiesPerPeer, limits.BodyTimeout);
    private readonly CoapBodies _responses = new(limits.MaxBodies, limits.MaxBodiesPerPeer, limits.BodyTimeout);

    /// <summary>Bodies of requests that are being collected, and of responses that are kept.</summary>
    public int Count => _requests.Count + _responses.Count;

    /// <summary>Bytes of all these bodies.</summary>
    public long Bytes => _requests.Bytes + _responses.Bytes;

    /// <summary>Bodies of requests that were too large.</summary>
    public long Refused { get; private set; }

    /// <summary>Bodies forgotten to make room.</summary>
    public long Evicted => _requests.Evicted + _responses.Evicted;

    /// <summary>Bodies of requests whose next block did not come in time.</summary>
    public long TimedOut => _requests.TimedOut;

    public void Expire(TimeSpan now)
    {
        _requests.Expire(now);
        _responses.Expire(now);
    }

    /// <summary>
    /// Adds a block to its body. Blocks come in order, as each is answered before the next is sent: a gap is answered 4.08, a block that is
    /// there already is answered as before, and block 0 begins the body anew.
    /// </summary>
    /// <param name="exchange">The block's request. It is remembered, so that a duplicate of it can't get into a later body.</param>
    /// <param name="waiting">While the body is not whole, the response.</param>
    /// <param name="body">The whole body.</param>
    /// <param name="payload">The response's payload, if the whole request was answered before.</param>
    /// <returns>Whether the body is whole.</returns>
    public bool TryCollect(
        scoped ref CoapExchangeContext exchange, out CoapResponse waiting, out ReadOnlySpan<byte> body, out ReadOnlySpan<byte> payload)
    {
        CoapBlock block = exchange.Options.Block1!.Value;
        CoapBodyKey key = CoapBodyKey.Of(exchange.Path.Peer, exchange.Message);
        ReadOnlySpan<byte> piece = exchange.Message.Payload;
        exchange.Remembers = exchange.HasTakenEffect = true;
        body = payload = default;
        waiting = new CoapResponse(CoapCode.Continue) { Block1 = block };
        if (!block.Holds(piece.Length))
        {
            waiting = new CoapResponse(CoapCode.BadRequest)
            {
                Diagnostic = "The block has another length than its Block1 option says (RFC 7959 section 2.2).",
            };
            return false;
        }

        CoapBody? collected = block.Number == 0 ? Begin(key, exchange.At.Now) : _requests.Find(key, exchange.At.Now);
        if (collected is null)
        {
            waiting = Repeat(key, block, exchange, out payload);
            return false;
        }

        if (Math.Max(exchange.Options.Size1 ?? 0, (long)block.Offset + piece.Length) > limits.MaxBodyBytes)
        {
            _requests.Remove(key);
            Refused++;
            waiting = new CoapResponse(CoapCode.RequestEntityTooLarge)
            {
                Size1 = (uint)limits.MaxBodyBytes,
                Diagnostic = "The body is larger than Size1 says.",
            };
            return false;
        }

        if (block.Offset != collected.Length)
        {
            bool isThere = block.More && block.Offset + piece.Length <= collected.Length;
            waiting = isThere ? waiting : Incomplete();
            return false;
        }

        collected.Add(piece);
        if (block.More)
        {
            return false;
        }

        _requests.Remove(key);
        body = collected.Bytes;
        return true;
    }

    /// <summary>
    /// Makes the response of a resource's code and body. If the body does not fit one block, the response has the first block, and the
    /// body is kept.
    /// </summary>
    public CoapResponse Finish(
        scoped ref CoapExchangeContext exchange, CoapResource resource, CoapCode code, ReadOnlySpan<byte> body,
        out ReadOnlySpan<byte> payload)
    {
        payload = body;
        string? diagnostic = null;
        if (code.Class == 2 && payload.Length > limits.MaxBodyBytes)
        {
            code = CoapCode.InternalServerError;
            payload = default;
            diagnostic = "The answer's body is larger than the server's limit.";
        }

        int exponent = ExponentFor(resource, exchange);
        int size = exchange.Room.SizeOf(exponent);
        if (code.Class != 2)
        {
            // The text of an error can't be fetched in blocks, as it has no ETag (RFC 7252 section 5.10.6.1).
            payload = payload[..Math.Min(size, payload.Length)];
            return new CoapResponse(code) { Block1 = exchange.Options.Block1, Diagnostic = diagnostic };
        }

        if (payload.Length > size && !exchange.IsProved && !exchange.HasTakenEffect)
        {
            // For an unproved address nothing is kept where that can be avoided.
            payload = default;
            exchange.Remembers = false;
            return proof!.Challenge(exchange);
        }

        size = exchange.Options.Block2 is null ? Math.Max(size, exchange.Room.WholeBytes) : size;
        bool more = payload.Length > size;
        CoapResponse response = FirstBlock(exchange, resource, code, payload, exponent, more);
        if (more || exchange.IsInBlocks)
        {
            int lastBlock = exchange.IsInBlocks ? exchange.Options.Block1!.Value.Number : -1;
            CoapBodyKey key = CoapBodyKey.Of(exchange.Path.Peer, exchange.Message);
            _responses.TryAdd(key, CoapBody.Of(response, payload, lastBlock), exchange.At.Now, evictsOthers: exchange.IsProved);
        }

        payload = more ? payload[..exchange.Room.SizeOf(exponent)] : payload;
        return response;
    }

    /// <summary>
    /// A later block of a response: of the body that is kept or, if that is forgotten, of the body that the same GET computes again. Any
    /// other request would need its own body again, and is answered 4.08.
    /// </summary>
    public CoapResponse NextBlock(
        scoped ref CoapExchangeContext exchange, CoapResources resources, CoapServedResource served, CoapBlock block,
        out ReadOnlySpan<byte> payload)
    {
        payload = default;
        CoapBodyKey key = CoapBodyKey.Of(exchange.Path.Peer, exchange.Message);
        CoapBody? kept = _responses.Find(key, exchange.At.Now);
        if (kept is null)
        {
            CoapResource resource = served.Resource;
            if (exchange.Message.Code != CoapCode.Get || resource.IsSlow)
            {
                return new CoapResponse(CoapCode.RequestEntityIncomplete)
                {
                    Diagnostic = "The answer's body is not kept any more: ask from the start.",
                };
            }

            CoapCode code = resources.Call(ref exchange, served, default);
            if (code.Class != 2 || resources.Body.Length > limits.MaxBodyBytes)
            {
                return Finish(ref exchange, resource, code, resources.Body, out payload);
            }

            kept = CoapBody.Of(new CoapResponse(code) { ContentFormat = resource.ContentFormat }, resources.Body, -1);
            if (exchange.IsProved)
            {
                _responses.TryAdd(key, kept, exchange.At.Now, evictsOthers: true);
            }
        }

        return Piece(kept, block, exchange.Room, out payload);
    }

    /// <summary>The peer has proved its address, so that nobody can take the places of others by forged ones.</summary>
    private CoapBody Begin(CoapBodyKey key, TimeSpan now)
    {
        CoapBody body = new();
        _responses.Remove(key);
        _requests.TryAdd(key, body, now, evictsOthers: true);
        return body;
    }

    /// <summary>
    /// A block of a body that is not being collected. If it is the last block of a request already answered, the response is the same; if
    /// it is one before that, it is taken, as it was: a network that doubles an acknowledgement makes a client send a block again.
    /// </summary>
    private CoapResponse Repeat(
        CoapBodyKey key, CoapBlock block, scoped in CoapExchangeContext exchange, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (_responses.Find(key, exchange.At.Now) is not { } kept)
        {
            return Incomplete();
        }

        if (block.More && block.Number < kept.LastRequestBlock)
        {
            return new CoapResponse(CoapCode.Continue) { Block1 = block };
        }

        if (!block.More && block.Number == kept.LastRequestBlock)
        {
            int size = kept.Response.Block2 is { } first ? exchange.Room.SizeOf(first.SizeExponent) : kept.Length;
            payload = kept.Bytes[..Math.Min(size, kept.Length)];
            return kept.Response;
        }

        return Incomplete();
    }

    private static CoapResponse Incomplete() => new(CoapCode.RequestEntityIncomplete)
    {
        Diagnostic = "Blocks before this one are missing: send the body from its first block.",
    };

    /// <summary>
    /// The exponent of the largest block that fits our datagrams and the client's wish; and, after an effect, what an unproved address
    /// may get.
    /// </summary>
    private int ExponentFor(CoapResource resource, scoped in CoapExchangeContext exchange)
    {
        int exponent = Math.Min(MaxExponent(exchange.Room), exchange.Options.Block2?.SizeExponent ?? CoapBlock.BertExponent);
        while (exponent > 0 && !exchange.IsProved && exchange.HasTakenEffect
            && CoapBlock.MinSize << exponent > proof!.RoomForBody(resource, exchange))
        {
            exponent--;
        }

        return exponent;
    }

    private int MaxExponent(CoapStreamRoom room) => room.MaxExponent ?? limits.BlockExponent;

    private static CoapResponse FirstBlock(
        scoped in CoapExchangeContext exchange, CoapResource resource, CoapCode code, ReadOnlySpan<byte> body, int exponent, bool more) =>
        new(code)
        {
            ContentFormat = body.IsEmpty ? null : resource.ContentFormat,
            MaxAge = resource.MaxAgeSeconds,
            Block1 = exchange.Options.Block1,
            Block2 = more || exchange.Options.Block2 is not null ? new CoapBlock(0, more, exponent) : null,
            Size2 = more && exchange.IsProved ? (uint)body.Length : null,
            ETag = more ? CoapBody.ETagOf(body) : null,
        };

    private CoapResponse Piece(CoapBody kept, CoapBlock block, CoapStreamRoom room, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (block.Offset >= kept.Length)
        {
            return new CoapResponse(CoapCode.BadRequest) { Diagnostic = "The answer's body ends before the block that Block2 asks for." };
        }

        int exponent = Math.Min(MaxExponent(room), block.SizeExponent);
        int length = Math.Min(room.SizeOf(exponent), kept.Length - block.Offset);
        payload = kept.Bytes.Slice(block.Offset, length);
        return kept.Response with
        {
            ETag = kept.ETag,
            Block1 = null,
            Block2 = CoapBlock.At(block.Offset, block.Offset + length < kept.Length, exponent),
            Size2 = null,
        };
    }
}
