using System.Globalization;
using System.Runtime.ExceptionServices;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// From a request that is no duplicate to its response: which resource answers, whether it may, and how the response leaves.
/// </summary>
internal sealed class CoapRequestProcessor(
    CoapResources resources,
    CoapAddressProof proof,
    CoapBlockwise blockwise,
    CoapExchanges exchanges,
    CoapExchanges unprovedExchanges,
    CoapSeparateResponses separate,
    CoapObservers? observers,
    CoapResponseWriter writer)
{
    /// <summary>iPATCH, the last method known (RFC 8132).</summary>
    private const byte LastMethod = 0x07;

    /// <summary>When to ask again where there is no room, in seconds (Max-Age).</summary>
    private const uint RetryAfter = 5;

    /// <summary>What is answered where no resource has the path.</summary>
    public static CoapResponse NotFound { get; } =
        new(CoapCode.NotFound) { Diagnostic = "There is no such resource: /.well-known/core lists what there is." };

    private readonly char[] _path = new char[CoapResources.MaxPathChars];

    /// <summary>Responses that were larger than an unproved address may get.</summary>
    public long Unsent { get; private set; }

    /// <summary>Processes a request and remembers its exchange where a duplicate could have an effect.</summary>
    /// <returns>The response's datagram, valid until the next one is written; empty for none.</returns>
    public ReadOnlySpan<byte> Process(scoped ref CoapExchangeContext exchange)
    {
        exchange.Options = CoapRequestOptions.Read(exchange.Message.Options, _path);
        if (exchange.Options.Refused == CoapCode.BadOption && !exchange.IsConfirmable)
        {
            // A non-confirmable message with an unknown critical option is rejected in silence (RFC 7252 section 5.4.1).
            return default;
        }

        proof.TryProve(ref exchange);
        CoapResponse response = Decide(ref exchange, out ReadOnlySpan<byte> payload);
        ReadOnlySpan<byte> datagram = writer.Write(exchange, response, payload);
        bool isTooLarge = !exchange.IsProved && datagram.Length > proof.Allowance(exchange.Datagram);
        if (isTooLarge && response.Diagnostic is not null)
        {
            datagram = writer.Write(exchange, response with { Diagnostic = null }, payload);
            isTooLarge = datagram.Length > proof.Allowance(exchange.Datagram);
        }

        if (isTooLarge && !exchange.HasTakenEffect)
        {
            (exchange.Remembers, isTooLarge) = (false, false);
            datagram = writer.Write(exchange, proof.Challenge(exchange), default);
        }

        if (exchange.Remembers || exchange.MightHaveEffect)
        {
            CoapExchanges remembered = exchange.Remembers || exchange.IsProved ? exchanges : unprovedExchanges;
            remembered.Add(exchange.Path.Peer, exchange.Message, datagram, exchange.At.Now);
        }

        datagram = isTooLarge ? Withhold() : datagram;
        exchange.Fault?.Throw();
        return datagram;
    }

    /// <summary>Computes a separate response; its datagram is kept, to be sent again until it is acknowledged.</summary>
    /// <exception cref="Exception">What the resource threw; the response is then 5.00.</exception>
    public void Compute(CoapSeparateResponse due, CoapMoment at)
    {
        _ = CoapMessage.TryRead(due.Request, out CoapMessage message);
        CoapExchangeContext exchange = new() { Datagram = due.Request, Message = message, Path = due.Path, At = at, IsProved = true };
        exchange.Options = CoapRequestOptions.Read(message.Options, _path);
        _ = resources.TryFind(exchange.Options, out CoapServedResource? served);
        CoapCode code = resources.Call(ref exchange, served!, due.Body ?? message.Payload);
        CoapResponse response = blockwise.Finish(ref exchange, served!.Resource, code, resources.Body, out ReadOnlySpan<byte> payload);
        CoapType type = due.IsConfirmable ? CoapType.Confirmable : CoapType.NonConfirmable;
        due.Datagram = writer.Write(type, response, due.MessageId, message.Token, payload).ToArray();
        separate.Computed(due);
        exchange.Fault?.Throw();
    }

    /// <summary>
    /// Computes the notification of an observer's next observation. One that is no success ends the observation (RFC 7641 section 4.2).
    /// </summary>
    /// <returns>What the resource threw; the notification is then 5.00.</returns>
    public ExceptionDispatchInfo? Notify(CoapObserver observer, CoapMoment at)
    {
        CoapObservation observation = observer.Next!;
        _ = CoapMessage.TryRead(observation.Request, out CoapMessage message);
        CoapExchangeContext exchange = new()
        {
            Datagram = observation.Request, Message = message, Path = observation.Path, At = at, IsProved = true,
        };
        exchange.Options = CoapRequestOptions.Read(message.Options, _path);
        CoapCode code = resources.Call(ref exchange, observation.Served, default);
        CoapResponse response = blockwise.Finish(
            ref exchange, observation.Served.Resource, code, resources.Body, out ReadOnlySpan<byte> payload);
        observation.IsError = response.Code.Class != 2;
        observer.IsConfirmable = observer.IsUnderWay | observation.TakeIsConfirmable(at.Now) | observation.IsError;
        observation.Told(at.Now);
        if (observation.IsError)
        {
            observers!.Remove(observation);
        }
        else
        {
            response = response with { Observe = observation.NextSequence(at.UtcNow) };
        }

        observer.TakeMessageId(at.Now);
        observer.Path = observation.Path;
        observer.Last = observation;
        CoapType type = observer.IsConfirmable ? CoapType.Confirmable : CoapType.NonConfirmable;
        observer.Keep(writer.Write(type, response, observer.MessageId, message.Token, payload));
        return exchange.Fault;
    }

    /// <summary>Counts a response that is not sent, as it is larger than an unproved address may get.</summary>
    /// <returns>No datagram.</returns>
    public ReadOnlySpan<byte> Withhold()
    {
        Unsent++;
        return default;
    }

    /// <summary>The response, and its payload, valid until the next call; an empty code for a response that comes later.</summary>
    private CoapResponse Decide(scoped ref CoapExchangeContext exchange, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (exchange.Options.Refused != default)
        {
            return new CoapResponse(exchange.Options.Refused) { Diagnostic = exchange.Options.Diagnostic };
        }

        if (!resources.TryFind(exchange.Options, out CoapServedResource? served))
        {
            return NotFound;
        }

        CoapResource resource = served.Resource;
        if (Refuse(resource, exchange) is { } refused)
        {
            return refused;
        }

        exchange.MightHaveEffect = resource.HasEffect && !exchange.Message.Code.IsSafe;
        if (exchange.Options.Block2 is { Number: > 0 } block)
        {
            return blockwise.NextBlock(ref exchange, resources, served, block, out payload);
        }

        bool observes = observers is not null && served.Resource.IsObservable && exchange.Options.Observes
            && exchange.Message.Code == CoapCode.Get;
        if (proof.IsNeeded(resource, exchange) || (observes && !exchange.IsProved))
        {
            // What is kept for a stranger would be sent to whom it has named again and again (RFC 7641 section 7).
            return proof.Challenge(exchange);
        }

        ReadOnlySpan<byte> body = exchange.Message.Payload;
        if (exchange.IsInBlocks && !blockwise.TryCollect(ref exchange, out CoapResponse waiting, out body, out payload))
        {
            return waiting;
        }

        if (resource.IsSlow)
        {
            return Defer(ref exchange, body);
        }

        CoapCode code = resources.Call(ref exchange, served, body);
        CoapResponse response = blockwise.Finish(ref exchange, resource, code, resources.Body, out payload);
        if (exchange.Options.EndsObserving || (observes && response.Code.Class != 2))
        {
            observers?.Remove(exchange.Path.Peer, exchange.Message.Token);
        }

        return observes && response.Code.Class == 2
            ? response with { Observe = observers!.TryRegister(exchange, served) }
            : response;
    }

    /// <summary>What is answered to a request that its resource does not take; null if it takes it.</summary>
    public static CoapResponse? Refuse(CoapResource resource, scoped in CoapExchangeContext exchange)
    {
        CoapCode method = exchange.Message.Code;
        bool has = resource.Methods?.Contains(method) ?? method.Value <= LastMethod;
        if (!has)
        {
            return new CoapResponse(CoapCode.MethodNotAllowed) { Diagnostic = "The resource does not have this method." };
        }

        if (exchange.Options.ContentFormat is { } sent && resource.TakesFormat is { } taken && sent != taken)
        {
            return new CoapResponse(CoapCode.UnsupportedContentFormat)
            {
                Diagnostic = string.Create(CultureInfo.InvariantCulture, $"The resource takes bodies of Content-Format {taken} alone."),
            };
        }

        if (exchange.Options.Accept is { } accepted && accepted != resource.ContentFormat)
        {
            return new CoapResponse(CoapCode.NotAcceptable)
            {
                Diagnostic = resource.ContentFormat is { } given
                    ? string.Create(CultureInfo.InvariantCulture, $"The resource answers in Content-Format {given} alone.")
                    : "The resource says no Content-Format of its answers.",
            };
        }

        return null;
    }

    /// <summary>Acknowledges a request to a slow resource, which is called when the acknowledgement has been sent.</summary>
    private CoapResponse Defer(scoped ref CoapExchangeContext exchange, ReadOnlySpan<byte> body)
    {
        if (!separate.TryMakeRoom(exchange.Path.Peer))
        {
            return new CoapResponse(CoapCode.ServiceUnavailable)
            {
                MaxAge = RetryAfter,
                Diagnostic = "Too many answers wait to be sent: ask again when Max-Age is over.",
            };
        }

        exchange.Remembers = true;
        byte[]? whole = exchange.IsInBlocks ? body.ToArray() : null;
        separate.Add(new CoapSeparateResponse(exchange.Datagram.ToArray(), whole, exchange.Path, exchange.At.Now + exchange.Leisure)
        {
            IsConfirmable = exchange.IsConfirmable,
            MessageId = exchange.Message.MessageId,
        });
        return default;
    }
}
