using Doorbell.Engines;
using Doorbell.Processes.Programs;
using Doorbell.Processes.Workers;
using Doorbell.Serving;
using Doorbell.SocketOptions;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell;

/// <summary>A running server: its doors, its ledger, its end.</summary>
/// <remarks>Any thread may call any member.</remarks>
public sealed class Server : IAsyncDisposable
{
    private const string MigrateFile = "/proc/sys/net/ipv4/tcp_migrate_req";

    private readonly Shutdown _shutdown = new();
    private readonly Admission _admission;
    private Task<int?>? _successor;
    private readonly BacklogWatch _backlogs;
    private readonly CounterWatch _counters;
    private readonly ILogger _log;

    private Server(ServerOptions options, ServerModel model, EngineChoice engine, List<DoorSocket> sockets)
    {
        Ledger = new Ledger([.. options.Counters]);
        Model = model;
        EngineName = engine.Engine.Name;
        EngineRefused = engine.Refused;
        Doors = [.. sockets.Select(static bound => bound.Door).Distinct()];

        // The sockets that share a door are alike.
        SocketOptions = [.. sockets.DistinctBy(static bound => bound.Door).SelectMany(static bound => bound.Options)];
        _log = (options.Logging ?? NullLoggerFactory.Instance).CreateLogger("doorbell");
        _admission = new Admission(options);
        _backlogs = new BacklogWatch(sockets, _log, ListenCounters.Read);
        _counters = new CounterWatch(Ledger, _log);
        Completion = sockets.Count == 0
            ? Task.CompletedTask
            : CompleteAsync(engine.Engine.ServeAsync(sockets, new(options, model, _admission, Ledger, _shutdown, _log)), sockets);
        _ = _backlogs.RunAsync(_shutdown.Draining);
        _ = _counters.RunAsync(_shutdown.Draining);
    }

    /// <summary>In a worker process.</summary>
    private Server(ServerOptions options, ServerModel model, List<DoorSocket> sockets, WorkerProcess worker)
    {
        Model = model;
        EngineName = new EpollEngine().Name;
        Doors = [.. sockets.Select(static bound => bound.Door).Distinct()];
        SocketOptions = [];
        _log = (options.Logging ?? NullLoggerFactory.Instance).CreateLogger("doorbell");
        SharedLedgers shared = SharedLedgers.Open(worker.Ledger, worker.Slots, options.Counters);
        Ledger = shared[worker.Slot];
        _admission = new Admission(options, worker.IsConnection ? null : new SharedPeers(shared, worker.Slot));
        _backlogs = new BacklogWatch([], _log, ListenCounters.Read);
        _counters = new CounterWatch(Ledger, _log);
        Completion = WorkerServer.ServeAsync(
            worker, sockets, new(options, ServerModel.Iterative, _admission, Ledger, _shutdown, _log));
    }

    /// <summary>
    /// Whether socket activation has passed this process sockets to serve: LISTEN_FDS (sd_listen_fds(3)). In a worker process, whether
    /// it has passed them to the parent, and that serves them alone.
    /// </summary>
    public static bool HasPassedSockets => PassedSockets.OfActivation.Count > 0 || WorkerProcess.Current is { ServesActivation: true };

    /// <summary>
    /// Whether the kernel moves the connections in a closing listener's backlog to another that shares its port, instead of resetting
    /// them: net.ipv4.tcp_migrate_req (Linux 5.14).
    /// </summary>
    public static bool BacklogMoves =>
        File.Exists(MigrateFile) && File.ReadAllText(MigrateFile).Trim() == "1";

    /// <summary>
    /// Whether this process serves for another, which started the same program anew (<see cref="ServerModel.Process"/>,
    /// <see cref="ServerModel.Prefork"/>). Then <see cref="StartAsync(ServerOptions)"/>, with the same service and endpoints as in the
    /// parent, serves what the parent gives it and ends when the parent wants it to; other servers of the program start nothing. A
    /// program that does more than serve, such as printing, asks this first.
    /// </summary>
    public static bool IsWorker => WorkerProcess.Current is not null;

    /// <summary>The sockets being served, with their actual addresses.</summary>
    public IReadOnlyList<Door> Doors { get; }

    /// <summary>What the kernel made of the socket options asked for, at each of the <see cref="Doors"/>.</summary>
    public IReadOnlyList<SocketOptionOutcome> SocketOptions { get; }

    /// <summary>How connections are spread.</summary>
    public ServerModel Model { get; }

    /// <summary>By which of the kernel's calls: <c>epoll</c>, <c>io_uring</c> or <c>portable</c>.</summary>
    public string EngineName { get; }

    /// <summary>Why it is not the engine asked for, in one line; null if it is.</summary>
    public string? EngineRefused { get; }

    /// <summary>The process that this server took its listening sockets over from; null if it made them.</summary>
    public int? TookOverFrom { get; private init; }

    /// <summary>The process that has taken them over from this one; null while none has.</summary>
    public int? HandedOverTo { get; private set; }

    /// <summary>What has been counted.</summary>
    public Ledger Ledger { get; }

    /// <summary>
    /// Reads how many connections wait at each stream listener, and what it had no room for. After the drain has begun: what
    /// was last read, since the listeners are closed.
    /// </summary>
    /// <returns>One for each listener, in the order of <see cref="Doors"/>; event loops have a listener each at the same door.</returns>
    public IReadOnlyList<BacklogReading> ReadBacklogs() => _backlogs.Read();

    /// <summary>Ends when all is drained or aborted. If a listener fails the server drains, and then this fails.</summary>
    public Task Completion { get; }

    /// <summary>For tests: how many more connections may come in.</summary>
    internal int LeasesLeft => _admission.LeasesLeft;

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="service">What to serve.</param>
    /// <param name="endpoints">Where, as <see cref="Endpoint.Parse(string)"/> takes them.</param>
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
        if (WorkerProcess.Current is { } worker)
        {
            return InWorker(worker, options, model);
        }

        EngineChoice engine = EngineChoice.For(options.Engine, model);
        if (engine.Engine.Refuses(model) is { } why)
        {
            throw new PlatformNotSupportedException(why);
        }

        foreach (Service service in options.Services)
        {
            if (service.Program is { } program)
            {
                if (engine.Engine is PortableEngine)
                {
                    throw new PlatformNotSupportedException(
                        $"the service {service.Name} is a program, and the portable engine starts none: leave out the engine");
                }

                _ = ProgramFile.Find(program.FileName);
            }
        }

        using TakeoverClient? takeover = options.TakeoverPath is { } path ? TakeoverClient.Ask(path, options) : null;
        Binding binding = new(options, model, takeover?.Sockets ?? []);
        List<DoorSocket> sockets = await binding.BindAllAsync(cancellation).ConfigureAwait(false);
        Server server = new(options, model, engine, sockets) { TookOverFrom = takeover?.Process };
        try
        {
            takeover?.Ready();
            if (options.TakeoverPath is not null)
            {
                server._successor = SuccessorAsync(options.TakeoverPath, sockets, server, takeover is not null);
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Stops accepting, lets what is in flight be answered, and after <paramref name="deadline"/> aborts what is left. May be
    /// called again with a shorter deadline.
    /// </summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    public async Task DrainAsync(TimeSpan deadline)
    {
        _backlogs.Look(MonotonicClock.Now); // the last time that the listeners can be read
        _shutdown.Drain();
        if (await Task.WhenAny(Completion, Task.Delay(deadline)).ConfigureAwait(false) != Completion)
        {
            _shutdown.Abort();
        }

        await Completion.ConfigureAwait(false);
        _counters.Look(MonotonicClock.Now);
    }

    /// <summary>
    /// Serves until <paramref name="stop"/> is cancelled, another server has taken over (<see cref="ServerOptions.TakeoverPath"/>), or a
    /// listener fails, then drains.
    /// </summary>
    /// <param name="drain">The drain's deadline.</param>
    /// <param name="stop">When to stop.</param>
    public async Task RunAsync(TimeSpan drain, CancellationToken stop)
    {
        Task stopped = Task.Delay(Timeout.Infinite, stop);
        if (await Task.WhenAny(Completion, stopped, TakenOverAsync(), _shutdown.Failed).ConfigureAwait(false) != Completion)
        {
            await DrainAsync(drain).ConfigureAwait(false);
        }

        await Completion.ConfigureAwait(false);
    }

    /// <summary>Aborts what is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero).ConfigureAwait(false);
        _shutdown.Dispose();
        _admission.Dispose();
    }

    private static ServerModel ModelFor(ServerOptions options) => options switch
    {
        { Model: { } asked } => asked,
        _ when options.Services.All(static service => service.Program is not null) => ServerModel.Process,
        { Engine: EngineKind.Portable } => ServerModel.Async,
        _ => OperatingSystem.IsLinux() ? ServerModel.Loop() : ServerModel.Async,
    };


    /// <summary>Who serves already, in the place of a server that drains, serves on, even if the next one can't reach it.</summary>
    private static Task<int?>? SuccessorAsync(string path, List<DoorSocket> sockets, Server server, bool tookOver)
    {
        try
        {
            return new TakeoverListener(path, sockets, server._shutdown, server._log).RunAsync();
        }
        catch (NetworkException failure) when (tookOver)
        {
            ServerLog.NoTakeover(server._log, failure.Message);
            return null;
        }
    }

    private async Task TakenOverAsync()
    {
        HandedOverTo = _successor is null ? null : await _successor.ConfigureAwait(false);
        if (HandedOverTo is null)
        {
            await Task.Delay(Timeout.Infinite, _shutdown.Aborting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static Server InWorker(WorkerProcess worker, ServerOptions options, ServerModel model)
    {
        if (worker.Server != WorkerProcess.NameOf(options))
        {
            // Another server of the same program: it is the parent's alone.
            return new Server(options, model, EngineChoice.For(options.Engine, model), []);
        }

        IEnumerable<DoorSocket> sockets = (worker.IsConnection ? [] : worker.Sockets)
            .Select(socket => Adopt(socket.Descriptor, socket.Door, options));
        return new Server(options, model, [.. sockets], worker);
    }

    private static DoorSocket Adopt(int descriptor, int door, ServerOptions options)
    {
        DoorSocket adopted = InheritedSocket.Adopt(descriptor, $"fd://{descriptor}", options);
        return adopted with
        {
            Door = adopted.Door with { Service = options.ServiceAt(door), Layers = options.LayersAt(door), Number = door },
        };
    }

    private async Task CompleteAsync(Task serving, List<DoorSocket> sockets)
    {
        try
        {
            await serving.ConfigureAwait(false);
        }
        finally
        {
            // A unix socket's file is the successor's now, if there is one.
            if (!_shutdown.IsHandedOver)
            {
                sockets.ForEach(static bound => bound.Close());
            }
        }
    }
}
