using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell;

/// <summary>A running server: its doors, its ledger, its end.</summary>
/// <remarks>Any thread may call any member.</remarks>
public sealed class Server : IAsyncDisposable
{
    private readonly Stop _stop = new();
    private readonly Admission _admission;
    private readonly BacklogWatch _backlogs;

    private Server(ServerOptions options, List<BoundSocket> sockets)
    {
        Model = ModelFor(options);
        _admission = new Admission(options);
        Doors = [.. sockets.Select(static bound => bound.Door).Distinct()];

        // The sockets that share a door are alike.
        SocketOptions = [.. sockets.DistinctBy(static bound => bound.Door).SelectMany(static bound => bound.Options)];
        ILogger log = (options.Logging ?? NullLoggerFactory.Instance).CreateLogger("doorbell");
        _backlogs = new BacklogWatch(sockets, log, ListenCounters.Read);
        Serving serving = new(options.Service, Model, _admission, Ledger, _stop, log);
        IEngine engine = EngineFor(Model);
        BoundSocket[] listeners = [.. sockets.Where(static bound => bound.Door.Endpoint.IsStream)];
        IEnumerable<Func<Task>> all = sockets.Where(static bound => !bound.Door.Endpoint.IsStream)
            .Select(socket => (Func<Task>)(() => engine.ServeDatagramsAsync(socket, serving)));
        if (listeners.Length > 0)
        {
            all = all.Append(() => engine.ServeStreamsAsync(listeners, serving));
        }

        // On the thread pool, so that nothing of it depends on the thread that started the server.
        Completion = CompleteAsync([.. all.Select(Task.Run)]);
        _ = _backlogs.RunAsync(_stop.Draining);
    }

    /// <summary>The sockets being served, with their actual addresses.</summary>
    public IReadOnlyList<Door> Doors { get; }

    /// <summary>What the kernel made of the socket options asked for, at each of the <see cref="Doors"/>.</summary>
    public IReadOnlyList<SocketOptionOutcome> SocketOptions { get; }

    /// <summary>How connections are spread.</summary>
    public ServerModel Model { get; }

    /// <summary>What has been counted.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>
    /// Reads how many connections wait at each stream listener, and what it had no room for. After the drain has begun: what
    /// was last read, since the listeners are closed.
    /// </summary>
    /// <returns>One for each listener, in the order of <see cref="Doors"/>.</returns>
    public IReadOnlyList<BacklogReading> ReadBacklogs() => _backlogs.Read();

    /// <summary>Ends when all is drained or aborted; fails if a listener does.</summary>
    public Task Completion { get; }

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="service">What to serve.</param>
    /// <param name="endpoints">Where, as <see cref="Endpoint.Parse"/> takes them.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="FormatException">An endpoint can't be parsed.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static Task<Server> StartAsync(Service service, params string[] endpoints) =>
        StartAsync(new ServerOptions { Service = service, Endpoints = [.. endpoints.Select(Endpoint.Parse)] });

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="options">What, where and how.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="ArgumentException">The options don't fit together.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static Task<Server> StartAsync(ServerOptions options) => StartAsync(options, CancellationToken.None);

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="options">What, where and how.</param>
    /// <param name="cancellation">Ends the wait for name resolution.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="ArgumentException">The options don't fit together.</exception>
    /// <exception cref="PlatformNotSupportedException">The model can't run here; the message says which can.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static async Task<Server> StartAsync(ServerOptions options, CancellationToken cancellation)
    {
        options.Validate();
        ServerModel model = ModelFor(options);
        if (EngineFor(model).Refuses(model) is { } why)
        {
            throw new PlatformNotSupportedException(why);
        }

        Binding binding = new(options, model);
        List<BoundSocket> sockets = [];
        try
        {
            foreach (Endpoint endpoint in options.Endpoints)
            {
                sockets.AddRange(await binding.BindAsync(endpoint, cancellation).ConfigureAwait(false));
            }

            ServerSocketOptions.RequireUse(options.SocketOptions, sockets);
        }
        catch
        {
            foreach (BoundSocket bound in sockets)
            {
                bound.Socket.Dispose();
                RemoveUnixFile(bound.Door);
            }

            throw;
        }

        return new Server(options, sockets);
    }

    /// <summary>
    /// Stops accepting, lets what is in flight be answered, and after <paramref name="deadline"/> aborts what is left. May be
    /// called again with a shorter deadline.
    /// </summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    public async Task DrainAsync(TimeSpan deadline)
    {
        _backlogs.Look(MonotonicClock.Now); // the last time that the listeners can be read
        _stop.Drain();
        if (await Task.WhenAny(Completion, Task.Delay(deadline)).ConfigureAwait(false) != Completion)
        {
            _stop.Abort();
        }

        await Completion.ConfigureAwait(false);
    }

    /// <summary>Serves until <paramref name="stop"/> is cancelled, then drains.</summary>
    /// <param name="drain">The drain's deadline.</param>
    /// <param name="stop">When to stop.</param>
    public async Task RunAsync(TimeSpan drain, CancellationToken stop)
    {
        Task stopped = Task.Delay(Timeout.Infinite, stop);
        if (await Task.WhenAny(Completion, stopped).ConfigureAwait(false) == stopped)
        {
            await DrainAsync(drain).ConfigureAwait(false);
        }

        await Completion.ConfigureAwait(false);
    }

    /// <summary>Aborts what is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero).ConfigureAwait(false);
        _stop.Dispose();
        _admission.Dispose();
    }

    private static ServerModel ModelFor(ServerOptions options) => options.Model ?? ServerModel.Async;

    private static IEngine EngineFor(ServerModel model) => model.Lane == LaneKind.Task ? new PortableEngine() : new EpollEngine();

    private static void RemoveUnixFile(Door door)
    {
        if (door.Endpoint.IsUnix)
        {
            UnixBinding.RemoveIfStale(door.Endpoint);
        }
    }

    private async Task CompleteAsync(Task[] all)
    {
        try
        {
            await Task.WhenAll(all).ConfigureAwait(false);
        }
        finally
        {
            foreach (Door door in Doors)
            {
                RemoveUnixFile(door);
            }
        }
    }
}
