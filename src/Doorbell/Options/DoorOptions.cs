using Doorbell.Sessions;

namespace Doorbell;

/// <summary>What is served at one endpoint. A server may have several doors, each with a service of its own.</summary>
public sealed record DoorOptions
{
    /// <summary>Where. A name or <c>*</c> may stand for several sockets.</summary>
    public required Endpoint Endpoint { get; init; }

    /// <summary>What is served there.</summary>
    public required Service Service { get; init; }

    /// <summary>
    /// What makes the layers of each connection, between the wire and the handler; the first stands next to the wire, as in
    /// <c>[ProxyProtocol.Accept(ranges), tls]</c>. Any thread may call them. Default none. Streams alone have layers, and a program has
    /// none: its process has the socket itself.
    /// </summary>
    public IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers { get; init; } = [];

    /// <summary>Refuses an endpoint that the service does not speak over, or at which its layers can't stand.</summary>
    /// <exception cref="ArgumentException">It does not, or they can't.</exception>
    internal void RequireSpoken() => RequireSpoken(Endpoint);

    /// <summary>As <see cref="RequireSpoken()"/>, of the socket that was passed for the endpoint.</summary>
    internal void RequireSpoken(Endpoint endpoint)
    {
        bool speaks = Service.Program is not null
            || (endpoint.IsStream ? Service.NewStreamHandler : (object?)Service.NewDatagramHandler) is not null;
        if (!speaks)
        {
            string kind = endpoint.IsStream ? "streams" : "datagrams";
            throw new ArgumentException($"The service {Service.Name} does not speak over {kind}, so it can't be served on {endpoint}.");
        }

        if (Layers.Count > 0 && !endpoint.IsStream)
        {
            throw new ArgumentException($"Layers stand on streams, and {endpoint} is served in datagrams: leave out the door's Layers.");
        }

        if (Layers.Count > 0 && Service.Program is not null)
        {
            throw new ArgumentException(
                $"The service {Service.Name} is a program, whose process has the connection itself: leave out the Layers of {endpoint}.");
        }
    }
}
