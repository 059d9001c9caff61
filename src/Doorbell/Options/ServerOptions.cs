using Doorbell.Native;
using Doorbell.Options;
using Doorbell.SocketOptions;
using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>What a server serves, where and how.</summary>
public sealed record ServerOptions
{
    private const int MaxRefusalChars = 1000;
    private const int DefaultConnections = 10_000;
    private const int DefaultProcesses = 128;

    /// <summary>Of the memory that this process may use: what a container, or the machine, allows it.</summary>
    private const int DefaultMemoryShare = 8;

    private readonly int? _maxConnections;
    private readonly AtLimit? _atLimit;
    private readonly long? _maxBufferedBytes;

    /// <summary>What to serve at each of the <see cref="Endpoints"/>; not needed if all is said by <see cref="Doors"/>.</summary>
    public Service? Service { get; init; }

    /// <summary>
    /// Where to serve the <see cref="Service"/>. At least one endpoint or door, unless systemd's socket activation has passed sockets:
    /// then none means all of those. A name or <c>*</c> may stand for several sockets. An endpoint whose address a passed socket has is
    /// served on that.
    /// </summary>
    public IReadOnlyList<Endpoint> Endpoints { get; init; } = [];

    /// <summary>Further endpoints, each with a service of its own: web at one port and DNS at another. Default none.</summary>
    public IReadOnlyList<DoorOptions> Doors { get; init; } = [];

    /// <summary>
    /// How connections are spread. Default null, the best for the service here: <see cref="ServerModel.Process"/> for a program,
    /// otherwise <see cref="ServerModel.Loop"/> on Linux, and <see cref="ServerModel.Async"/> elsewhere and on the portable engine.
    /// <see cref="ServerModel.Process"/> and <see cref="ServerModel.Prefork"/> start the whole program anew for each worker, with all that
    /// it does before its server starts: see <see cref="Server.IsWorker"/>.
    /// </summary>
    public ServerModel? Model { get; init; }

    /// <summary>By which of the kernel's calls. Default <see cref="EngineKind.Auto"/>.</summary>
    public EngineKind Engine { get; init; }

    /// <summary>
    /// Connections at once, over all endpoints. What becomes of one more says <see cref="AtLimit"/>. Default 10,000: half of what a
    /// process may usually open. If a service is a program, whose connections and datagrams take a process each, 128.
    /// </summary>
    public int MaxConnections
    {
        get => _maxConnections ?? (Services.Any(static of => of?.Program is not null) ? DefaultProcesses : DefaultConnections);
        init => _maxConnections = value;
    }

    /// <summary>
    /// Connections at once from one IPv4 address or one IPv6 /64, over all endpoints; one more is accepted and closed. Unix peers
    /// aren't counted. Default no limit but <see cref="MaxConnections"/>.
    /// </summary>
    public int MaxConnectionsPerAddress { get; init; } = int.MaxValue;

    /// <summary>
    /// Connections at once that handlers have opened or are opening
    /// (<see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>), in each process of the server. One more is not begun: its
    /// handler is told <see cref="CloseReason.ConnectFailed"/>, and <see cref="LedgerSnapshot.OutgoingRefused"/> counts it. Default null:
    /// twice <see cref="MaxConnections"/>, since a relay opens one for each, and some end a little later than those they were opened for.
    /// </summary>
    public int? MaxOutgoingConnections { get; init; }

    /// <summary>
    /// Memory that all connections may hold together: for output that their peers have not taken, and for input that their handlers have
    /// not consumed, layers, relays and the pipes of <c>async</c> code included. When they hold more, those that hold the most are reset
    /// (<see cref="CloseReason.BufferBudgetExceeded"/>) until it is a little less; for the moment that this takes, there is more. The
    /// kernel's socket buffers are not counted, nor is what handlers keep for themselves and do not tell (<see cref="Turn.HeldMemory"/>).
    /// Under <see cref="ServerModel.Prefork"/> each worker has its share; a program, and each worker of <see cref="ServerModel.Process"/>,
    /// has memory of its own, which is not counted. Default: an eighth of the memory that this process may use: its machine's,
    /// or its container's, or what its own limits leave it (RLIMIT_AS, RLIMIT_DATA).
    /// </summary>
    public long MaxBufferedBytes
    {
        get => _maxBufferedBytes
            ?? Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, AddressSpace.MaxObjectBytes) / DefaultMemoryShare;
        init => _maxBufferedBytes = value;
    }

    /// <summary>Whether <see cref="MaxBufferedBytes"/> was asked for.</summary>
    internal bool BoundsBufferedBytes => _maxBufferedBytes is not null;

    /// <summary>
    /// Bounds of each connection at every door, in the place of those of the services; a door may have others
    /// (<see cref="DoorOptions.Limits"/>). Default null: each service's own.
    /// </summary>
    public StreamLimitOverrides? StreamLimits { get; init; }

    /// <summary>
    /// What becomes of one connection too many. Default <see cref="AtLimit.MakeRoom"/>, so that peers which are slow or silent keep nobody
    /// out. A process for each connection tells of no rest: there it is <see cref="AtLimit.LeaveInBacklog"/>. Where a fixed number of lanes
    /// carry one connection each, their number is a limit too: who has been at rest for 5 seconds makes room for who waits in the backlog.
    /// </summary>
    public AtLimit AtLimit
    {
        get => _atLimit ?? AtLimit.MakeRoom;
        init => _atLimit = value;
    }

    /// <summary>Whether <see cref="AtLimit"/> was said, and is not the default.</summary>
    internal bool AsksForAtLimit => _atLimit is not null;

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

    /// <summary>
    /// Whether a takeover may leave endpoints of the server before, which then nobody serves: <see cref="Server.TakeoverLeft"/>. Default
    /// false: a server that would not serve all of them does not start, and the one before serves on.
    /// </summary>
    public bool TakeoverChanges { get; init; }

    /// <summary>Where to log; null for nowhere.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>
    /// Whether this server's listeners are its own and share their port with other servers': then it must let no handshake complete
    /// while it closes them.
    /// </summary>
    internal bool LeavesSharedPort =>
        ReusePort && TakeoverPath is null && !AllDoors.Any(static door => door.Endpoint.IsPassed) && !HasPassedSockets;

    /// <summary>Whether <see cref="MaxConnections"/> was said, and is not the default.</summary>
    internal bool AsksForMaxConnections => _maxConnections is not null;

    /// <summary>
    /// Whether there are sockets to serve without an endpoint: socket activation has passed them, or, to a worker process, its parent.
    /// </summary>
    internal bool HasPassedSockets { get; init; } = SocketActivation.Sockets.Count > 0;

    /// <summary>Whether nobody but the user whose server it is, and root, may connect to its unix sockets.</summary>
    internal bool HasPrivateSockets { get; init; }

    /// <summary>What the sockets themselves have of all this.</summary>
    internal ListenOptions Listen => new(ListenBacklog, ReusePort, SocketOptions, HasPrivateSockets);

    /// <summary>The <see cref="Endpoints"/> with their service, and the <see cref="Doors"/>.</summary>
    internal IReadOnlyList<DoorOptions> AllDoors =>
        [.. Endpoints.Select(endpoint => new DoorOptions { Endpoint = endpoint, Service = Service! }), .. Doors];

    /// <summary>All that is served, each once. With socket activation alone, that is the <see cref="Service"/>.</summary>
    internal IReadOnlyList<Service> Services =>
        [.. AllDoors.Select(static door => door.Service).DefaultIfEmpty(Service!)
            .Distinct(ReferenceEqualityComparer.Instance).Cast<Service>()];

    /// <summary>What all services count, each counter once.</summary>
    internal IReadOnlyList<LedgerCounter> Counters =>
        [.. Services.SelectMany(static service => service.Counters).DistinctBy(static counter => counter.Name)];

    /// <summary>
    /// <see cref="AllDoors"/>, or else one for all sockets of socket activation, each with its service's limits as they are there.
    /// </summary>
    internal IReadOnlyList<DoorOptions> ServedDoors =>
        [.. AllDoors.DefaultIfEmpty(new DoorOptions { Endpoint = "fd://all", Service = Service!, IsAllPassed = true })
            .Select(door => door.WithLimits(StreamLimits))];

    /// <summary>
    /// Reads the options from a configuration's pairs, as <c>section.AsEnumerable(makePathsRelative: true)</c> gives them: all but
    /// <see cref="Logging"/> and the layers of doors, which are code. Unlike a binder it uses no reflection, and it leaves nothing out in
    /// silence. A list's keys have a number, as in <c>Endpoints:0</c>, <c>Doors:0:Limits:IdleTimeout</c> or
    /// <c>Doors:0:Access:Deny:0</c>.
    /// </summary>
    /// <param name="settings">
    /// Names of properties, in any case, and their values. A value that is null stands for a section and is passed over.
    /// </param>
    /// <param name="services">Those that <see cref="Service"/> and the <see cref="Doors"/> may name.</param>
    /// <returns>The options; what they say together is checked when the server starts.</returns>
    /// <exception cref="FormatException">A key or a value is none of a server's; the message begins with the key.</exception>
    public static ServerOptions Parse(IEnumerable<KeyValuePair<string, string?>> settings, params IReadOnlyList<Service> services)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(services);
        return ServerSettings.Read(settings, services);
    }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentException">No endpoint, or the service does not speak an endpoint's transport.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnectionsPerAddress);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxOutgoingConnections ?? 1, nameof(MaxOutgoingConnections));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_maxBufferedBytes ?? 1, nameof(MaxBufferedBytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RefusalLine?.Length ?? 0, MaxRefusalChars, nameof(RefusalLine));
        ArgumentOutOfRangeException.ThrowIfNegative(ListenBacklog ?? 0, nameof(ListenBacklog));
        if (Service is null && (Endpoints.Count > 0 || Doors.Count == 0))
        {
            throw new ArgumentException("The endpoints have no service: say which (Service).");
        }

        if (AllDoors.Count == 0 && !HasPassedSockets)
        {
            throw new ArgumentException("A server needs at least one endpoint, such as tcp://localhost:6789.");
        }

        foreach (Service service in Services)
        {
            if (service.NeedsOneProcess && Model?.Lane == LaneKind.Process)
            {
                string where = AllDoors.FirstOrDefault(door => door.Service == service) is { } served ? $" at {served.Endpoint}" : "";
                throw new ArgumentException(
                    $"The service {service.Name}{where} keeps its state in one process: leave out the model {Model.Name}.");
            }

            if (service.Program is not null && Services.Count == 1 && Model is not null && Model != ServerModel.Process)
            {
                throw new ArgumentException(
                    $"The service {service.Name} is a program, which takes a process for each connection: "
                        + $"leave out the model {Model.Name}.");
            }
        }

        foreach (DoorOptions door in ServedDoors)
        {
            door.ValidateLimits();
        }

        RequireAlikeAtOneEndpoint();
        foreach (DoorOptions door in AllDoors.Where(static door => !door.Endpoint.IsPassed))
        {
            door.RequireSpoken();
        }
    }

    /// <summary>With a shared port (<see cref="ReusePort"/>) the kernel would give each of two doors some of the connections.</summary>
    private void RequireAlikeAtOneEndpoint()
    {
        IEnumerable<DoorOptions> fixedDoors =
            AllDoors.Where(static door => door.Endpoint is { IsPassed: false } and not { IsUnix: false, Port: 0 });
        foreach (IGrouping<Endpoint, DoorOptions> atOne in fixedDoors.GroupBy(static door => door.Endpoint.As(null)))
        {
            if (atOne.Select(static door => door.Service).Distinct(ReferenceEqualityComparer.Instance).Count() > 1)
            {
                throw new ArgumentException($"Two services are to be served on {atOne.Key}: give each an endpoint of its own.");
            }

            if (atOne.Select(static door => (door.Access, door.Limits, door.Layers)).Distinct().Count() > 1)
            {
                throw new ArgumentException(
                    $"{atOne.Key} is given twice, with different Access, Limits or Layers: give one of them another endpoint.");
            }
        }
    }
}
