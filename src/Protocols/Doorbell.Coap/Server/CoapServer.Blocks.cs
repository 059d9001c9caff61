namespace Doorbell.Coap;

/// <content>Bodies in blocks (RFC 7959).</content>
public sealed partial class CoapServer
{
    /// <summary>
    /// Adds a block to its body. Blocks come in order, as each is answered before the next is sent; a gap is answered 4.08, one that is
    /// there already as it was, and block 0 begins anew.
    /// </summary>
    /// <param name="call">The block; its exchange is remembered, so that a duplicate can't come into a later body.</param>
    /// <param name="waiting">If it isn't whole: the answer.</param>
    /// <param name="body">If it is: the body.</param>
    /// <param name="payload">Of the answer, if the request was answered before.</param>
    private bool TryCollect(scoped ref CoapExchangeContext call, out CoapResponse waiting, out ReadOnlySpan<byte> body, out ReadOnlySpan<byte> payload)
    {
        CoapBlock block = call.Asked.Block1!.Value;
        CoapBodyKey key = CoapBodyKey.Of(call.Path.Peer, call.Message);
        ReadOnlySpan<byte> piece = call.Message.Payload;
        call.Remembers = call.HasActed = true;
        body = payload = default;
        waiting = new CoapResponse(CoapCode.Continue) { Block1 = block };
        if (block.More ? piece.Length != block.Size : piece.Length > block.Size)
        {
            waiting = new CoapResponse(CoapCode.BadRequest);
            return false;
        }

        CoapBody? collected = block.Number == 0 ? BeginBody(key, call.At.Now) : _requests.Find(key, call.At.Now);
        if (collected is null)
        {
            waiting = block.Number == 0 ? NoRoom() : Again(key, block, call.At.Now, out payload);
            return false;
        }

        if (Math.Max(call.Asked.Size1 ?? 0, (long)block.Offset + piece.Length) > _limits.MaxBodyBytes)
        {
            _requests.Remove(key);
            _refusedBodies++;
            waiting = new CoapResponse(CoapCode.RequestEntityTooLarge) { Size1 = (uint)_limits.MaxBodyBytes };
            return false;
        }

        if (block.Offset != collected.Length)
        {
            bool isThere = block.More && block.Offset + piece.Length <= collected.Length;
            waiting = isThere ? waiting : new CoapResponse(CoapCode.RequestEntityIncomplete);
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

    private CoapBody? BeginBody(CoapBodyKey key, TimeSpan now)
    {
        CoapBody body = new();
        _answers.Remove(key);
        return _requests.TryAdd(key, body, now, evictsOthers: false) ? body : null;
    }

    private CoapResponse NoRoom()
    {
        _refusedBodies++;
        return new CoapResponse(CoapCode.ServiceUnavailable) { MaxAge = RetryAfter };
    }

    /// <summary>A block of a body that isn't being collected: the last one of one that has been answered is answered the same.</summary>
    private CoapResponse Again(CoapBodyKey key, CoapBlock block, TimeSpan now, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (!block.More && _answers.Find(key, now) is { } kept && kept.LastRequestBlock == block.Number)
        {
            int size = CoapBlock.MinSize << (kept.Answer.Block2?.SizeExponent ?? _limits.BlockExponent);
            payload = kept.Bytes[..Math.Min(size, kept.Length)];
            return kept.Answer;
        }

        return new CoapResponse(CoapCode.RequestEntityIncomplete);
    }

    /// <summary>From a resource's code and body to the answer: the body's first block, and the body kept, if it doesn't fit one.</summary>
    private CoapResponse Finish(scoped ref CoapExchangeContext call, CoapResource resource, CoapCode code, out ReadOnlySpan<byte> payload)
    {
        payload = _body.WrittenSpan;
        if (code.Class == 2 && payload.Length > _limits.MaxBodyBytes)
        {
            code = CoapCode.InternalServerError;
            payload = default;
        }

        int exponent = ExponentFor(resource, call);
        int size = CoapBlock.MinSize << exponent;
        if (code.Class != 2)
        {
            // An error's text can't be had in blocks, as it has no ETag (RFC 7252 section 5.10.6.1).
            payload = payload[..Math.Min(size, payload.Length)];
            return new CoapResponse(code) { Block1 = call.Asked.Block1 };
        }

        if (payload.Length > size && !call.IsProved && !call.HasActed)
        {
            // Nothing is kept for strangers where that can be helped.
            payload = default;
            call.Remembers = false;
            return Challenge(call);
        }

        CoapResponse answer = FirstBlock(call, resource, code, payload, exponent);
        if (payload.Length > size || call.IsInBlocks)
        {
            int lastBlock = call.IsInBlocks ? call.Asked.Block1!.Value.Number : -1;
            CoapBodyKey key = CoapBodyKey.Of(call.Path.Peer, call.Message);
            _answers.TryAdd(key, CoapBody.Of(answer, payload, lastBlock), call.At.Now, evictsOthers: call.IsProved);
        }

        payload = payload[..Math.Min(size, payload.Length)];
        return answer;
    }

    /// <summary>The largest block's that we send, the client wants, and a stranger may have who has had his effect.</summary>
    private int ExponentFor(CoapResource resource, scoped in CoapExchangeContext call)
    {
        int exponent = Math.Min(_limits.BlockExponent, call.Asked.Block2?.SizeExponent ?? CoapBlock.MaxSizeExponent);
        while (exponent > 0 && !call.IsProved && call.HasActed && CoapBlock.MinSize << exponent > RoomForBody(resource, call))
        {
            exponent--;
        }

        return exponent;
    }

    private static CoapResponse FirstBlock(
        scoped in CoapExchangeContext call, CoapResource resource, CoapCode code, ReadOnlySpan<byte> body, int exponent)
    {
        bool more = body.Length > CoapBlock.MinSize << exponent;
        return new CoapResponse(code)
        {
            ContentFormat = body.IsEmpty ? null : resource.ContentFormat,
            Block1 = call.Asked.Block1,
            Block2 = more || call.Asked.Block2 is not null ? new CoapBlock(0, more, exponent) : null,
            Size2 = more && call.IsProved ? (uint)body.Length : null,
            ETag = more ? CoapBody.ETagOf(body) : null,
        };
    }

    /// <summary>
    /// A later block of an answer: of the one kept, or, if that is forgotten, of the same GET's computed again. Whatever else would need
    /// the request's body again is answered 4.08.
    /// </summary>
    private CoapResponse NextBlock(
        scoped ref CoapExchangeContext call, CoapResource resource, CoapFunction function, CoapBlock block, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        CoapBodyKey key = CoapBodyKey.Of(call.Path.Peer, call.Message);
        CoapBody? kept = _answers.Find(key, call.At.Now);
        if (kept is null)
        {
            if (call.Message.Code != CoapCode.Get || resource.IsSlow)
            {
                return new CoapResponse(CoapCode.RequestEntityIncomplete);
            }

            CoapCode code = Call(ref call, resource, function, default);
            if (code.Class != 2 || _body.WrittenCount > _limits.MaxBodyBytes)
            {
                return Finish(ref call, resource, code, out payload);
            }

            kept = CoapBody.Of(new CoapResponse(code) { ContentFormat = resource.ContentFormat }, _body.WrittenSpan, -1);
            if (call.IsProved)
            {
                _answers.TryAdd(key, kept, call.At.Now, evictsOthers: true);
            }
        }

        return Piece(kept, block, out payload);
    }

    private CoapResponse Piece(CoapBody kept, CoapBlock block, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (block.Offset >= kept.Length)
        {
            return new CoapResponse(CoapCode.BadRequest);
        }

        int exponent = Math.Min(_limits.BlockExponent, block.SizeExponent);
        int length = Math.Min(CoapBlock.MinSize << exponent, kept.Length - block.Offset);
        payload = kept.Bytes.Slice(block.Offset, length);
        return kept.Answer with
        {
            ETag = kept.ETag,
            Block1 = null,
            Block2 = new CoapBlock(block.Offset >> (exponent + 4), block.Offset + length < kept.Length, exponent),
            Size2 = null,
        };
    }
}
