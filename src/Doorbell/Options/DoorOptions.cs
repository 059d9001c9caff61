namespace Doorbell;

/// <summary>What is served at one endpoint. A server may have several doors, each with a service of its own.</summary>
public sealed record DoorOptions
{
    /// <summary>Where. A name or <c>*</c> may stand for several sockets.</summary>
    public required Endpoint Endpoint { get; init; }

    /// <summary>What is served there.</summary>
    public required Service Service { get; init; }

    /// <summary>Refuses an endpoint that the service does not speak over.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
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
    }
}
