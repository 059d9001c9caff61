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

    /// <summary>
    /// Who may come in here; a connection or a datagram from anyone else is closed or dropped, and counted. The transport's address
    /// decides before the <see cref="Layers"/> begin. If a layer names another, such as the client for which a proxy speaks, that
    /// decides too, when all layers are open: so a list that allows some clients has to allow the proxy as well. Default everyone.
    /// </summary>
    public AccessList Access { get; init; } = AccessList.Everyone;

    /// <summary>The bounds of this door in the place of the server's and the service's. Default none of its own.</summary>
    public DoorLimits Limits { get; init; } = DoorLimits.None;

    /// <summary>
    /// The mode, the owner and the group of a unix socket's file. The file of a socket that was passed or taken over stays as it is.
    /// Default: the umask decides.
    /// </summary>
    public SocketFileOptions SocketFile { get; init; } = SocketFileOptions.Default;

    /// <summary>Whether it stands for all sockets of socket activation, since no endpoint was asked for.</summary>
    internal bool IsAllPassed { get; init; }

    /// <summary>The service with the limits that it has at this door.</summary>
    /// <param name="ofServer">What all doors have in the place of their services' limits.</param>
    internal DoorOptions WithLimits(StreamLimitOverrides? ofServer)
    {
        StreamLimits streams = Limits.ApplyTo(ofServer?.ApplyTo(Service.StreamLimits) ?? Service.StreamLimits);
        DatagramLimits datagrams = Limits.ApplyTo(Service.DatagramLimits);
        return streams == Service.StreamLimits && datagrams == Service.DatagramLimits
            ? this
            : this with { Service = Service with { StreamLimits = streams, DatagramLimits = datagrams } };
    }

    /// <summary>Refuses limits that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of range.</exception>
    internal void ValidateLimits()
    {
        Limits.Validate();
        Service.StreamLimits.Validate();
        Service.DatagramLimits.Validate();
    }

    /// <summary>Refuses an endpoint that the service does not speak over, or at which its layers can't stand.</summary>
    /// <exception cref="ArgumentException">It does not, or they can't.</exception>
    internal void RequireSpoken()
    {
        SocketFile.Validate(Endpoint);
        RequireSpoken(Endpoint);
    }

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
