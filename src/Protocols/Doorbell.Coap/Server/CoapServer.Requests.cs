using System.Runtime.ExceptionServices;

namespace Doorbell.Coap;

/// <content>From a request to its answer.</content>
public sealed partial class CoapServer
{
    /// <summary>Of a stranger's first block, besides token, format and body: the header, ETag, Block2 and the payload's marker.</summary>
    private const int FirstBlockOverhead = CoapMessage.HeaderBytes + 9 + 2 + 1;

    /// <summary>Bytes of a Content-Format, and at most of the Block1 that a body of one block has.</summary>
    private const int FormatBytes = 3;
    private const int Block1Bytes = 3;

    /// <summary>iPATCH, the last method known (RFC 8132).</summary>
    private const byte LastMethod = 0x07;

    /// <summary>When to ask again where there is no room, in seconds.</summary>
    private const uint RetryAfter = 5;

    private ReadOnlySpan<byte> Answer(scoped ref CoapExchangeContext call)
    {
        call.Asked = CoapRequestOptions.Read(call.Message.Options, _path);
        if (call.Asked.Refused == CoapCode.BadOption && !call.IsConfirmable)
        {
            // RFC 7252 section 5.4.1.
            return default;
        }

        if (!call.IsProved && _echo.IsGood(call.Path.Peer, call.At.Now, call.Asked.Echo))
        {
            _proved.Add(call.Path.Peer, call.At.Now);
            call.IsProved = true;
        }

        CoapResponse answer = Decide(ref call, out ReadOnlySpan<byte> payload);
        ReadOnlySpan<byte> datagram = Write(call, answer, payload);
        bool isTooLarge = !call.IsProved && datagram.Length > Allowance(call.Datagram);
        if (isTooLarge && !call.HasActed)
        {
            (call.Remembers, isTooLarge) = (false, false);
            datagram = Write(call, Challenge(call), default);
        }

        if (call.Remembers || call.MightHaveEffect)
        {
            CoapExchanges exchanges = call.Remembers || call.IsProved ? _exchanges : _strangers;
            exchanges.Add(call.Path.Peer, call.Message, datagram, call.At.Now);
        }

        datagram = isTooLarge ? Unsent() : datagram;
        call.Fault?.Throw();
        return datagram;
    }

    /// <summary>The answer, and its payload, valid until the next call; an empty code for one that comes later.</summary>
    private CoapResponse Decide(scoped ref CoapExchangeContext call, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (call.Asked.Refused != default)
        {
            return new CoapResponse(call.Asked.Refused);
        }

        if (!TryFind(call.Asked, out CoapResource? resource, out CoapFunction? function))
        {
            return new CoapResponse(CoapCode.NotFound);
        }

        if (Refuse(resource, call) is { } refused)
        {
            return new CoapResponse(refused);
        }

        call.MightHaveEffect = resource.HasEffect && !call.Message.Code.IsSafe;
        if (call.Asked.Block2 is { Number: > 0 } block)
        {
            return NextBlock(ref call, resource, function, block, out payload);
        }

        if (NeedsProof(resource, call))
        {
            return Challenge(call);
        }

        ReadOnlySpan<byte> body = call.Message.Payload;
        if (call.IsInBlocks && !TryCollect(ref call, out CoapResponse waiting, out body, out payload))
        {
            return waiting;
        }

        if (resource.IsSlow)
        {
            return Defer(ref call, body);
        }

        CoapCode code = Call(ref call, resource, function, body);
        return Finish(ref call, resource, code, out payload);
    }

    private bool TryFind(
        CoapRequestOptions asked,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CoapResource? resource,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CoapFunction? function)
    {
        bool isKnown = _resources.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(
            asked.Path, out (CoapResource Resource, CoapFunction Function) found) && !asked.IsOddPath;
        (resource, function) = isKnown ? found : (null, null);
        return isKnown;
    }

    private static CoapCode? Refuse(CoapResource resource, scoped in CoapExchangeContext call)
    {
        CoapCode method = call.Message.Code;
        bool has = resource.Methods?.Contains(method) ?? method.Value <= LastMethod;
        return !has ? CoapCode.MethodNotAllowed
            : call.Asked.ContentFormat is { } sent && resource.TakesFormat is { } taken && sent != taken
                ? CoapCode.UnsupportedContentFormat
            : call.Asked.Accept is { } accepted && accepted != resource.ContentFormat ? CoapCode.NotAcceptable
            : null;
    }

    /// <summary>
    /// Whether a stranger has to prove where he is before anything happens: what it does can't be undone when the answer turns out too
    /// large for him, and what is kept for him takes the place of others (RFC 9175 section 2.3).
    /// </summary>
    private bool NeedsProof(CoapResource resource, scoped in CoapExchangeContext call)
    {
        if (call.IsProved || call.IsInBlocks || resource.IsSlow)
        {
            return !call.IsProved;
        }

        // A body of unknown length can be cut into the smallest blocks.
        int body = Math.Min(resource.MaxAnswerBytes ?? CoapBlock.MinSize, CoapBlock.MinSize << _limits.BlockExponent);
        return resource.HasEffect && !call.Message.Code.IsSafe && body > RoomForBody(resource, call);
    }

    /// <summary>Bytes of body that a stranger's first block may have; negative for not even an empty one.</summary>
    private long RoomForBody(CoapResource resource, scoped in CoapExchangeContext call) => Allowance(call.Datagram)
        - FirstBlockOverhead
        - call.Message.Token.Length
        - (resource.ContentFormat is null ? 0 : FormatBytes)
        - (call.Asked.Block1 is null ? 0 : Block1Bytes);

    private CoapResponse Challenge(scoped in CoapExchangeContext call)
    {
        _challenges++;

        // A tokenless question without a path is smaller than a third of this; it gets no Echo, and has no way to go on.
        int length = CoapMessage.HeaderBytes + call.Message.Token.Length + 2 + sizeof(ulong);
        return length > Allowance(call.Datagram)
            ? new CoapResponse(CoapCode.Unauthorized)
            : new CoapResponse(CoapCode.Unauthorized) { Echo = _echo.ValueFor(call.Path.Peer, call.At.Now) };
    }

    private CoapCode Call(scoped ref CoapExchangeContext call, CoapResource resource, CoapFunction function, ReadOnlySpan<byte> body)
    {
        _body.ResetWrittenCount();
        call.Remembers |= resource.HasEffect;
        call.HasActed |= resource.HasEffect && !call.Message.Code.IsSafe;
        try
        {
            return function(new CoapRequest(call.Message, body, call.Path.Peer, call.At), _body);
        }
        catch (Exception thrown)
        {
            call.Fault = ExceptionDispatchInfo.Capture(thrown);
            call.Remembers = call.HasActed = true;
            _body.ResetWrittenCount();
            return CoapCode.InternalServerError;
        }
    }

    private ReadOnlySpan<byte> Write(scoped in CoapExchangeContext call, CoapResponse answer, ReadOnlySpan<byte> payload)
    {
        bool isLater = answer.Code == CoapCode.Empty;
        if (!call.IsConfirmable)
        {
            return isLater ? default : Write(CoapType.NonConfirmable, answer, _nextMessageId++, call.Message.Token, payload);
        }

        CoapToken token = isLater ? default : call.Message.Token;
        return Write(CoapType.Acknowledgement, answer, call.Message.MessageId, token, payload);
    }
}
