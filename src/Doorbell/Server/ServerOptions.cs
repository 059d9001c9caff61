using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>What a server serves, where and how.</summary>
public sealed record ServerOptions
{
    private const int MaxRefusalChars = 1000;

    /// <summary>What to serve at every endpoint.</summary>
    public required Service Service { get; init; }

    /// <summary>
    /// Where; at least one, unless systemd's socket activation has passed sockets: then none means all of those. A name or <c>*</c>
    /// may stand for several sockets. An endpoint whose address a passed socket has is served on that.
    /// </summary>
    public required IReadOnlyList<Endpoint> Endpoints { get; init; }

    /// <summary>
    /// How connections are spread. Default null, the best for the service here: <see cref="ServerModel.Process"/> for a program,
    /// otherwise <see cref="ServerModel.Loop"/> on Linux, and <see cref="ServerModel.Async"/> elsewhere and on the portable engine.
    /// </summary>
    public ServerModel? Model { get; init; }

    /// <summary>By which of the kernel's calls. Default <see cref="EngineKind.Auto"/>.</summary>
    public EngineKind Engine { get; init; }

    /// <summary>
    /// Connections at once, over all endpoints. At the limit the rest waits in the kernel's backlog. Default 10,000: half of
    /// what a process may usually open.
    /// </summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>
    /// Connections at once from one IPv4 address or one IPv6 /64, over all endpoints; one more is accepted and closed. Unix peers
    /// aren't counted. Default no limit but <see cref="MaxConnections"/>.
    /// </summary>
    public int MaxConnectionsPerAddress { get; init; } = int.MaxValue;

    /// <summary>What becomes of one connection too many. Default <see cref="AtLimit.LeaveInBacklog"/>.</summary>
    public AtLimit AtLimit { get; init; }

    /// <summary>What a connection that is refused is told, as a line, before it is closed; default null, nothing.</summary>
    public string? RefusalLine { get; init; }

    /// <summary>
    /// How many connections of each listener may wait, complete, to be accepted: listen(2)'s argument, which the kernel caps in
    /// silence at net.core.somaxconn; <see cref="Server.ReadBacklogs"/> tells what it made of it. Linux lets one more wait. Default
    /// null: the system's maximum.
    /// </summary>
    public int? ListenBacklog { get; init; }

    /// <summary>
    /// Socket options beyond Doorbell's own, which they override: each is set, before bind, before listen or after accept as it has to
    /// be, on every socket that it has an effect on; one that has none on any is an error. Default none.
    /// </summary>
    public IReadOnlyList<SocketOptionSetting> SocketOptions { get; init; } = [];

    /// <summary>For tests: small ones are soon full.</summary>
    internal RingSizes RingSizes { get; init; } = RingSizes.Default;

    /// <summary>For tests: told of each event loop when all its connections are over.</summary>
    internal Action<LoopLane>? LaneEnds { get; init; }

    /// <summary>
    /// Whether other servers of the same user may share the ports (SO_REUSEPORT, socket(7)), so that a new one can start before the
    /// old one ends. Default false. When one of them ends, the kernel resets the connections that wait in its backlog, unless
    /// <see cref="Server.BacklogMoves"/>.
    /// </summary>
    public bool ReusePort { get; init; }

    /// <summary>
    /// The path of a unix socket over which a server takes the listening sockets over from the one before it, and hands them to the
    /// one behind it; null, the default, for neither. Only the same user, and root, may take over.
    /// </summary>
    public string? TakeoverPath { get; init; }

    /// <summary>Where to log; null for nowhere.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>
    /// Whether this server's listeners are its own and share their port with other servers': then it must let no handshake complete
    /// while it closes them.
    /// </summary>
    internal bool LeavesSharedPort =>
        ReusePort && TakeoverPath is null && !Endpoints.Any(static endpoint => endpoint.IsPassed) && !Server.HasPassedSockets;

    /// <summary>For tests: the program, and its arguments, that worker processes run instead of this one.</summary>
    internal IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentException">No endpoint, or the service does not speak an endpoint's transport.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnectionsPerAddress);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RefusalLine?.Length ?? 0, MaxRefusalChars, nameof(RefusalLine));
        ArgumentOutOfRangeException.ThrowIfNegative(ListenBacklog ?? 0, nameof(ListenBacklog));
        Service.StreamLimits.Validate();
        Service.DatagramLimits.Validate();
        Service.CoapLimits.Validate();
        if (Service.Program is not null && Model is not null && Model != ServerModel.Process)
        {
            throw new ArgumentException(
                $"The service {Service.Name} is a program, which takes a process for each connection: leave out the model {Model.Name}.");
        }

        if (Endpoints.Count == 0 && !Server.HasPassedSockets)
        {
            throw new ArgumentException("A server needs at least one endpoint, such as tcp://localhost:6789.");
        }

        foreach (Endpoint endpoint in Endpoints.Where(static endpoint => !endpoint.IsPassed))
        {
            RequireSpoken(endpoint);
        }
    }

    /// <summary>Refuses an endpoint that the service does not speak over.</summary>
    internal void RequireSpoken(Endpoint endpoint)
    {
        if (endpoint.Transport == Transport.Coap)
        {
            RequireCoap(endpoint);
            return;
        }

        bool speaks = Service.Program is not null
            || (endpoint.IsStream ? Service.NewStreamHandler : (object?)Service.NewDatagramHandler) is not null;
        if (!speaks)
        {
            string kind = endpoint.IsStream ? "streams" : "datagrams";
            throw new ArgumentException($"The service {Service.Name} does not speak over {kind}, so it can't be served on {endpoint}.");
        }
    }

    private void RequireCoap(Endpoint endpoint)
    {
        if (Service.Program is not null || (Service.NewDatagramHandler is null && Service.CoapResources.Count == 0))
        {
            throw new ArgumentException($"The service {Service.Name} has no resource, so it can't be served on {endpoint}.");
        }

        if (Model?.Lane == LaneKind.Process)
        {
            throw new ArgumentException(
                $"What has been answered on {endpoint} is remembered in one process: leave out the model {Model.Name}.");
        }
    }
}
