using System.Buffers;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// From a request that came over a stream to its response, by one set of the resources' functions. Each request is answered before the
/// next one is looked at. One call at a time.
/// </summary>
internal sealed class CoapStreamProcessor
{
    private readonly CoapResources _resources;
    private readonly char[] _path = new char[CoapResources.MaxPathChars];

    public CoapStreamProcessor(IReadOnlyDictionary<string, CoapResource> resources, Endpoint door)
    {
        Door = door;
        _resources = new CoapResources(new CoapStreamSocketInfo(door));
        foreach ((string path, CoapResource resource) in resources)
        {
            _resources.Add(path, resource);
        }
    }

    public Endpoint Door { get; }

    /// <summary>Answers a request.</summary>
    /// <param name="exchange">With all but its options.</param>
    /// <param name="blockwise">The connection's bodies in blocks.</param>
    /// <param name="observers">The connection's observations.</param>
    /// <param name="output">Where the response is written.</param>
    /// <exception cref="Exception">What the resource threw.</exception>
    public void Answer(
        scoped ref CoapExchangeContext exchange, CoapBlockwise blockwise, CoapStreamObservers observers, IBufferWriter<byte> output)
    {
        exchange.Options = CoapRequestOptions.Read(exchange.Message.Options, _path, CoapBlock.BertExponent);
        CoapResponse response = Decide(ref exchange, blockwise, observers, out ReadOnlySpan<byte> payload);
        exchange.Fault?.Throw();
        Write(output, response, exchange.Message.Token, payload);
    }

    /// <summary>Tells the present state of an observed resource. One that is no success ends the observation.</summary>
    /// <exception cref="Exception">What the resource threw.</exception>
    public void Notify(
        CoapObservation observation, CoapStreamRoom room, CoapMoment at, CoapBlockwise blockwise, CoapStreamObservers observers,
        IBufferWriter<byte> output)
    {
        _ = CoapFrame.TryRead(observation.Request, int.MaxValue, out CoapFrame frame);
        _ = frame.TryReadMessage(out CoapMessage message);
        CoapExchangeContext exchange = new() { Message = message, Path = observation.Path, At = at, IsProved = true, Room = room };
        exchange.Options = CoapRequestOptions.Read(message.Options, _path, CoapBlock.BertExponent);
        _ = _resources.TryFind(exchange.Options, out CoapServedResource? served);
        CoapCode code = _resources.Call(ref exchange, served!, default);
        exchange.Fault?.Throw();
        CoapResponse response = blockwise.Finish(
            ref exchange, served!.Resource, code, _resources.Body, out ReadOnlySpan<byte> payload);
        observation.Told(at.Now);
        if (response.Code.Class == 2)
        {
            response = response with { Observe = observation.NextSequence(at.UtcNow) };
        }
        else
        {
            observers.Remove(observation);
        }

        Write(output, response, message.Token, payload);
    }

    private static void Write(IBufferWriter<byte> output, CoapResponse response, CoapToken token, ReadOnlySpan<byte> payload)
    {
        Span<byte> bytes = stackalloc byte[CoapServerLimits.OverheadBytes];
        CoapWriter writer = new(bytes);
        response.WriteOptions(ref writer);
        CoapFrame.Write(output, response.Code, token, bytes[..writer.Length], response.PayloadOf(payload));
    }

    private CoapResponse Decide(
        scoped ref CoapExchangeContext exchange, CoapBlockwise blockwise, CoapStreamObservers observers, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (exchange.Options.Refused != default)
        {
            return new CoapResponse(exchange.Options.Refused) { Diagnostic = exchange.Options.Diagnostic };
        }

        if (!_resources.TryFind(exchange.Options, out CoapServedResource? served))
        {
            return CoapRequestProcessor.NotFound;
        }

        CoapResource resource = served.Resource;
        if (CoapRequestProcessor.Refuse(resource, exchange) is { } refused)
        {
            return refused;
        }

        if (exchange.Options.Block2 is { Number: > 0 } block)
        {
            return blockwise.NextBlock(ref exchange, _resources, served, block, out payload);
        }

        ReadOnlySpan<byte> body = exchange.Message.Payload;
        if (exchange.IsInBlocks && !blockwise.TryCollect(ref exchange, out CoapResponse waiting, out body, out payload))
        {
            return waiting;
        }

        bool observes = resource.IsObservable && exchange.Options.Observes && exchange.Message.Code == CoapCode.Get;
        if (observes || exchange.Options.EndsObserving)
        {
            observers.Remove(exchange.Message.Token);
        }

        if (!observes)
        {
            CoapCode code = _resources.Call(ref exchange, served, body);
            return blockwise.Finish(ref exchange, resource, code, _resources.Body, out payload);
        }

        observers.Watch(resource);
        CoapCode state = _resources.Call(ref exchange, served, body);
        CoapResponse response = blockwise.Finish(ref exchange, resource, state, _resources.Body, out payload);
        if (response.Code.Class == 2)
        {
            response = response with { Observe = observers.TryRegister(exchange, served) };
        }

        observers.Unwatch(resource);
        return response;
    }
}
