using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Doorbell.Coap.Server;

/// <summary>A resource of one server, with the function that answers there.</summary>
internal sealed record CoapServedResource(CoapResource Resource, CoapFunction Function);

/// <summary>The resources of one server by their paths, and the calls of their functions.</summary>
internal sealed class CoapResources
{
    public const int MaxPathChars = 256;

    private const string Discovery = ".well-known/core";

    private readonly Dictionary<string, CoapServedResource> _resources = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly DatagramSocketInfo _socket;

    public CoapResources(DatagramSocketInfo socket)
    {
        _socket = socket;
        Add(Discovery, new CoapResource(List) { Methods = [CoapCode.Get], ContentFormat = CoapFormat.Links, HasEffect = false });
    }

    /// <summary>The body that the last <see cref="Call"/> wrote; valid until the next one.</summary>
    public ReadOnlySpan<byte> Body => _body.WrittenSpan;

    /// <exception cref="ArgumentException">There is a resource at this path already, the path is too long, or an attribute can't be
    /// written.</exception>
    public CoapServedResource Add(string path, CoapResource resource)
    {
        string segments = path.StartsWith('/') ? path[1..] : path;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segments.Length, MaxPathChars, nameof(path));
        CoapLinks.Check(resource);
        resource.Validate();
        CoapServedResource served = new(resource, resource.NewFunction(_socket));
        _resources.Add(segments, served);
        return served;
    }

    public bool TryFind(scoped in CoapRequestOptions options, [NotNullWhen(true)] out CoapServedResource? served)
    {
        bool isKnown = _resources.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(options.Path, out served);
        return isKnown && !options.IsOddPath;
    }

    /// <summary>
    /// Calls the resource's function. What it throws is kept in the exchange, which is remembered then, and the code is 5.00.
    /// </summary>
    public CoapCode Call(scoped ref CoapExchangeContext exchange, CoapServedResource served, ReadOnlySpan<byte> body)
    {
        bool hasEffect = served.Resource.HasEffect;
        _body.ResetWrittenCount();
        exchange.Remembers |= hasEffect;
        exchange.HasTakenEffect |= hasEffect && !exchange.Message.Code.IsSafe;
        try
        {
            return served.Function(new CoapRequest(exchange.Message, body, exchange.Path.Peer, exchange.At), _body);
        }
        catch (Exception thrown)
        {
            exchange.Fault = ExceptionDispatchInfo.Capture(thrown);
            exchange.Remembers = exchange.HasTakenEffect = true;
            _body.ResetWrittenCount();
            return CoapCode.InternalServerError;
        }
    }

    /// <summary>Lists the resources in the link format, those that a query asks for (RFC 6690 section 4.1).</summary>
    private CoapCode List(CoapRequest request, IBufferWriter<byte> body)
    {
        IReadOnlyList<string> query = request.ReadQuery();
        IEnumerable<string> links = _resources
            .Where(each => each.Key != Discovery && query.All(filter => CoapLinks.Matches(each.Key, each.Value.Resource, filter)))
            .OrderBy(static each => each.Key, StringComparer.Ordinal)
            .Select(static each => CoapLinks.Of(each.Key, each.Value.Resource));
        Encoding.UTF8.GetBytes(string.Join(",", links), body);
        return CoapCode.Content;
    }
}
