using Doorbell.Lab.Impair.Proxies;
using Doorbell.SocketOptions;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// Takes connections from clients to an upstream, each with its bytes both ways, as the directions' faults say. It is a service: a server
/// accepts, connects, receives, sends and keeps the times.
/// </summary>
internal sealed class StreamProxy : ImpairProxy
{
    /// <summary>Connections at once.</summary>
    public const int MaxConnections = 1024;

    /// <summary>
    /// How many more the server accepts: a connection that comes when all places are taken ends another one, which is closed a moment
    /// later.
    /// </summary>
    private const int MaxClosing = 64;

    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _keepAlive = TimeSpan.FromSeconds(15);

    /// <summary>
    /// What is sent does not answer what is received, and each direction has a bound of its own. A connection at rest is kept.
    /// </summary>
    private static readonly StreamLimits _limits = new()
    {
        OutputHighMark = int.MaxValue,
        MaxPendingOutput = int.MaxValue,
        IdleTimeout = Timeout.InfiniteTimeSpan,
        FirstByteTimeout = Timeout.InfiniteTimeSpan,
    };

    private readonly ConnectionTable _table = new(MaxConnections);
    private readonly StreamRoom _room = new();
    private readonly StreamWay _up;
    private readonly StreamWay _down;
    private readonly ConnectOptions _connecting = new() { Timeout = _connectTimeout, KeepAlive = _keepAlive };
    private Server _server = null!;
    private long _numbers;

    private StreamProxy(ImpairOptions options)
        : base(options)
    {
        _up = new StreamWay("up", options.Faults.Up, options.Seed);
        _down = new StreamWay("down", options.Faults.Down, options.Seed);
        options.Faults.Up.Changed += _table.Ring;
        options.Faults.Down.Changed += _table.Ring;
    }

    public override IReadOnlyList<Endpoint> Endpoints => [.. _server.Doors.Select(static door => door.Endpoint)];

    public override string Unit => "bytes";

    /// <summary>Listens, and carries what comes.</summary>
    /// <exception cref="NetworkException">The endpoint can't be resolved or bound.</exception>
    public static async Task<StreamProxy> StartAsync(ImpairOptions options, CancellationToken cancellation)
    {
        StreamProxy proxy = new(options);
        using ReportLog log = new(options.Report);
        Service service = new("impair") { NewStreamHandler = _ => proxy.NewClient(), StreamLimits = _limits, NeedsOneProcess = true };
        proxy._server = await Server.StartAsync(
            new ServerOptions
            {
                Service = service,
                Endpoints = [options.Listen],
                Model = OperatingSystem.IsLinux() ? ServerModel.Loop(1) : ServerModel.Async,
                MaxConnections = MaxConnections + MaxClosing,
                SocketOptions = options.Listen.IsUnix ? [] : KeepAlive(),
                Logging = log,
            },
            cancellation).ConfigureAwait(false);
        return proxy;
    }

    public override WayReading ReadUp() => Read(_up);

    public override WayReading ReadDown() => Read(_down);

    public override IReadOnlyList<(string Name, long Count)> ReadOthers() =>
    [
        ("Connections", _table.Opened), ("Open", _table.Open), ("Refused", _table.EndedBy(StreamEnd.Refused)),
        ("Reset", _table.EndedBy(StreamEnd.Reset)), ("ResetAsAsked", _table.EndedBy(StreamEnd.ResetAsked)),
        ("ClosedAsAsked", _table.EndedBy(StreamEnd.CloseAsked)),
        ("Evicted", _table.EndedBy(StreamEnd.Evicted)),
    ];

    public override ValueTask DisposeAsync()
    {
        Options.Faults.Up.Changed -= _table.Ring;
        Options.Faults.Down.Changed -= _table.Ring;
        return _server.DisposeAsync();
    }

    /// <summary>Carries connections until it is stopped; those that are open then are reset.</summary>
    private protected override Task CarryAsync(CancellationToken stop) => _server.RunAsync(TimeSpan.Zero, stop);

    /// <summary>So that a peer which is held, and does not answer the kernel any more, is noticed.</summary>
    private static IReadOnlyList<SocketOptionSetting> KeepAlive() =>
        [SocketOptionSetting.Parse("SO_KEEPALIVE=1"), SocketOptionSetting.Parse($"TCP_KEEPIDLE={_keepAlive.TotalSeconds:0}")];

    private static WayReading Read(StreamWay way)
    {
        // What is sent on has been received, also of what is counted between two readings.
        long discarded = way.Discarded;
        long forwarded = way.Forwarded;
        return new WayReading(way.Name, way.Received, forwarded, [("Discarded", discarded)], []);
    }

    private ImpairedClientSide NewClient()
    {
        long number = Interlocked.Increment(ref _numbers) - 1;
        long seed = unchecked(Options.Seed + number);
        ImpairedConnection connection = new(
            new StreamDirection(_up, _room, seed, number), new StreamDirection(_down, _room, ~seed, number));
        return new ImpairedClientSide(connection, Options.Upstream, _connecting, _table);
    }
}
