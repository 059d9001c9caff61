using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>What a server serves, where and how.</summary>
public sealed record ServerOptions
{
    /// <summary>What to serve at every endpoint.</summary>
    public required Service Service { get; init; }

    /// <summary>Where; at least one. A name or <c>*</c> may stand for several sockets.</summary>
    public required IReadOnlyList<Endpoint> Endpoints { get; init; }

    /// <summary>How connections are spread. Default <see cref="ServerModel.Async"/>.</summary>
    public ServerModel Model { get; init; } = ServerModel.Async;

    /// <summary>
    /// Connections at once, over all endpoints. At the limit the rest waits in the kernel's backlog. Default 10,000: half of
    /// what a process may usually open.
    /// </summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>
    /// Socket options beyond Doorbell's own, which they override: each is set, before bind, before listen or after accept as it has to
    /// be, on every socket that it has an effect on; one that has none on any is an error. Default none.
    /// </summary>
    public IReadOnlyList<SocketOptionSetting> SocketOptions { get; init; } = [];

    /// <summary>Where to log; null for nowhere.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentException">No endpoint, or the service does not speak an endpoint's transport.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        Service.StreamLimits.Validate();
        Service.DatagramLimits.Validate();
        if (Endpoints.Count == 0)
        {
            throw new ArgumentException("A server needs at least one endpoint, such as tcp://localhost:6789.");
        }

        foreach (Endpoint endpoint in Endpoints)
        {
            if ((endpoint.IsStream ? Service.NewStreamHandler is null : Service.NewDatagramHandler is null))
            {
                string kind = endpoint.IsStream ? "streams" : "datagrams";
                throw new ArgumentException($"The service {Service.Name} does not speak over {kind}, so it can't be served on {endpoint}.");
            }
        }
    }
}
