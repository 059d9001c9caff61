using Doorbell.Engines;
using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Options;
using Doorbell.Processes.Spawning;
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

    private readonly ServerContext _context;
    private readonly IReadOnlyList<DoorSocket> _sockets;
    private readonly BacklogWatch _backlogs;
    private readonly CounterWatch _counters;
    private Task<int?>? _successor;
    private int _disposed;

    /// <summary>A server that serves nothing yet.</summary>
    private Server(ServerContext context, ServerModel model, string engine, IReadOnlyList<DoorSocket> sockets)
    {
        _context = context;
        _sockets = sockets;
        Model = model;
        EngineName = engine;
        Doors = [.. sockets.Select(static bound => bound.Door).Distinct()];

        // The sockets that share a door are alike.
        SocketOptions = [.. sockets.DistinctBy(static bound => bound.Door).SelectMany(static bound => bound.Options)];
        _backlogs = new BacklogWatch(sockets, context.Log, ListenCounters.Read);
        _counters = new CounterWatch(context.Ledger, context.Log);
    }

    /// <summary>
    /// Whether socket activation has passed this process sockets to serve: LISTEN_FDS (sd_listen_fds(3)). In a worker process, whether
    /// it has passed them to the parent, and that serves them alone.
    /// </summary>
    public static bool HasPassedSockets => SocketActivation.Sockets.Count > 0 || WorkerProcess.Current is { ServesActivation: true };

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
    public string? EngineRefused { get; private init; }

    /// <summary>
    /// Whether it serves one connection alone, which whoever started this process has accepted and passed (inetd(8)'s "nowait", systemd's
    /// Accept=yes): it has no doors then, and ends with the connection.
    /// </summary>
    public bool ServesOneConnection { get; private init; }

    /// <summary>The process that this server took its listening sockets over from; null if it made them.</summary>
    public int? TookOverFrom { get; private init; }

    /// <summary>
    /// The endpoints that the server before had and this one does not serve (<see cref="ServerOptions.TakeoverChanges"/>): nobody does.
    /// </summary>
    public IReadOnlyList<Endpoint> TakeoverLeft { get; private init; } = [];

    /// <summary>The endpoints that this server has and the one that it took over from had not.</summary>
    public IReadOnlyList<Endpoint> TakeoverAdded { get; private init; } = [];

    /// <summary>The process that has taken them over from this one; null while none has.</summary>
    public int? HandedOverTo { get; private set; }

    /// <summary>What has been counted.</summary>
    public Ledger Ledger => _context.Ledger;

    /// <summary>
    /// The connections that are open at this moment, in no order; each reading is a new list. It waits for no connection, so one whose
    /// handler is stuck is in it too. Of a connection that a process serves it tells what this process knows.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// The model is <see cref="ServerModel.Prefork"/>: its workers accept by themselves, and tell the <see cref="Ledger"/> alone.
    /// </exception>
    public IReadOnlyList<ConnectionSnapshot> Connections
    {
        get
        {
            RequireOwnConnections();
            return _context.Connections.Read();
        }
    }

    /// <summary>
    /// Reads how many connections wait at each stream listener, and what it had no room for. After the drain has begun: what
    /// was last read, since the listeners are closed.
    /// </summary>
    /// <returns>One for each listener, in the order of <see cref="Doors"/>.</returns>
    public IReadOnlyList<BacklogReading> ReadBacklogs() => _backlogs.Read();

    /// <summary>
    /// Ends when all is drained or aborted, or when the last connection has ended after <see cref="StopAcceptingAsync"/> and there is no
    /// datagram socket; and when the handlers' tasks have ended too, or a second has passed since the abort. If a listener fails the server
    /// drains, and then this fails.
    /// </summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

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
    /// <param name="cancellation">Ends the start; then nothing is bound. A server that has started ends otherwise.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="ArgumentException">The options don't fit together.</exception>
    /// <exception cref="OperationCanceledException">The start was cancelled.</exception>
    /// <exception cref="PlatformNotSupportedException">The model can't run here; the message says which can.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static Task<Server> StartAsync(ServerOptions options, CancellationToken cancellation) =>
        StartAsync(options, static (kind, model) => EngineChoice.For(kind, model, EngineSettings.Default), cancellation);

    /// <summary>As <see cref="StartAsync(ServerOptions, CancellationToken)"/>, on an engine that the caller makes.</summary>
    internal static async Task<Server> StartAsync(
        ServerOptions options, Func<EngineKind, ServerModel, EngineChoice> choose, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellation.ThrowIfCancellationRequested();
        options = options with { HasPassedSockets = HasPassedSockets };
        options.Validate();
        ServerModel model = ModelFor(options);
        if (WorkerProcess.Current is { } worker)
        {
            return InWorker(worker, options, model);
        }

        EngineChoice engine = choose(options.Engine, model);
        LimitRules.RequireEffect(options, model);
        SocketOptionRules.RequireServable(options, model);
        RunnableServices.Require(options, model, engine.Engine);
        if (PassedSockets.ConnectionOf(options.ServedDoors) is { } passed)
        {
            return OfConnection(passed, options);
        }

        using TakeoverClient? takeover = options.TakeoverPath is { } path
            ? TakeoverClient.Ask(path, options.Listen, out bool metDying)
            : NoTakeover(out metDying);
        Binding binding = new(options.ServedDoors, options.Listen, model, takeover, options.TakeoverChanges) { WaitsForAddress = metDying };
        List<DoorSocket> sockets = await binding.BindAllAsync(cancellation).ConfigureAwait(false);
        sockets = [.. sockets.Select(socket => socket with { IsAlone = IsAlone(socket, options) })];
        Server server = new(ContextOf(options, model, new Ledger([.. options.Counters]), null), model, engine.Engine.Name, sockets)
        {
            EngineRefused = engine.Refused,
            TookOverFrom = takeover?.Process,
            TakeoverLeft = binding.LeftDoors,
            TakeoverAdded = binding.AddedDoors,
        };
        server.Serve(engine.Engine);
        try
        {
            await server._context.Starts.AllAsync().ConfigureAwait(false);
            takeover?.Ready();
            if (options.TakeoverPath is not null)
            {
                server._successor = SuccessorAsync(options.TakeoverPath, server, takeover is not null);
            }

            takeover?.Serving();

            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Takes no new connections: what waits in the backlog is still accepted, then the listeners are closed, and clients that come later
    /// are refused. Connections that are open go on, and so do datagram sockets. For a server behind a load balancer, some time before
    /// <see cref="StopAsync(CancellationToken)"/>. Called again, it waits for the same.
    /// </summary>
    /// <returns>
    /// Ends when the listeners are closed. A lane that carries one connection at a time accepts its share of the backlog only when that
    /// connection is over.
    /// </returns>
    public async Task StopAcceptingAsync()
    {
        _backlogs.Look(MonotonicClock.Now); // the last time that the listeners can be read
        _context.Shutdown.StopAccepting();
        Task closed = Task.WhenAll(_sockets.Where(static bound => bound.IsListener).Select(static bound => bound.Released));
        await Task.WhenAny(closed, Completion).ConfigureAwait(false);
    }

    /// <summary>
    /// Stops accepting, lets what is in flight be answered, and after <paramref name="deadline"/> aborts what is left. May be
    /// called again with a shorter deadline; of a server that has ended it does nothing.
    /// </summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    public async Task DrainAsync(TimeSpan deadline)
    {
        BeginDrain();
        if (await Task.WhenAny(Completion, Task.Delay(deadline)).ConfigureAwait(false) != Completion)
        {
            _context.Shutdown.Abort();
        }

        await EndDrainAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// As <see cref="DrainAsync"/>, without a deadline: what is in flight is answered, or a limit of its service ends it.
    /// </summary>
    public Task StopAsync() => StopAsync(CancellationToken.None);

    /// <summary>As <see cref="DrainAsync"/>.</summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    public Task StopAsync(TimeSpan deadline) => DrainAsync(deadline);

    /// <summary>As <see cref="DrainAsync"/>, with a deadline that the caller keeps, as a host does (IHostedService.StopAsync).</summary>
    /// <param name="deadline">When it is cancelled what is left is aborted.</param>
    public async Task StopAsync(CancellationToken deadline)
    {
        BeginDrain();
        await Task.WhenAny(Completion, Task.Delay(Timeout.Infinite, deadline)).ConfigureAwait(false);
        if (!Completion.IsCompleted)
        {
            _context.Shutdown.Abort();
        }

        await EndDrainAsync().ConfigureAwait(false);
    }

    /// <summary>Closes one connection in order.</summary>
    /// <param name="id">Its number: <see cref="ConnectionSnapshot.Id"/>, <see cref="ConnectionInfo.Id"/>.</param>
    /// <returns>Ends when it is over: whether there was such a connection.</returns>
    /// <exception cref="NotSupportedException">As of <see cref="Connections"/>.</exception>
    public Task<bool> CloseAsync(long id) => CloseAsync(id, CloseMode.Orderly);

    /// <summary>Closes one connection.</summary>
    /// <param name="id">Its number: <see cref="ConnectionSnapshot.Id"/>, <see cref="ConnectionInfo.Id"/>.</param>
    /// <param name="how">In order, or at once.</param>
    /// <returns>Ends when it is over: whether there was such a connection.</returns>
    /// <exception cref="NotSupportedException">As of <see cref="Connections"/>.</exception>
    public async Task<bool> CloseAsync(long id, CloseMode how) =>
        await CloseAsync(connection => connection.Id == id, how).ConfigureAwait(false) > 0;

    /// <summary>Closes the connections that match.</summary>
    /// <param name="which">Asked once for each connection that is open now, on the caller's thread.</param>
    /// <param name="how">In order, or at once.</param>
    /// <returns>Ends when all of them are over: how many they were. In order, that takes as long as what they have in flight.</returns>
    /// <exception cref="NotSupportedException">As of <see cref="Connections"/>.</exception>
    public async Task<int> CloseAsync(Func<ConnectionSnapshot, bool> which, CloseMode how)
    {
        ArgumentNullException.ThrowIfNull(which);
        RequireOwnConnections();
        List<Task> closing = _context.Connections.Close(which, how);
        await Task.WhenAll(closing).ConfigureAwait(false);
        return closing.Count;
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
        if (await Task.WhenAny(Completion, stopped, TakenOverAsync(), _context.Shutdown.Failed).ConfigureAwait(false) != Completion)
        {
            await DrainAsync(drain).ConfigureAwait(false);
        }

        await Completion.ConfigureAwait(false);
    }

    /// <summary>Aborts what is still open. Called again, also at the same time, it waits for the same and does nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        try
        {
            await DrainAsync(TimeSpan.Zero).ConfigureAwait(false);
        }
        finally
        {
            _context.Shutdown.Dispose();
            _context.Admission.Dispose();
            _context.Memory.Dispose();
            _context.Descriptors.Dispose();
        }
    }

    private static ServerContext ContextOf(ServerOptions options, ServerModel model, Ledger ledger, SharedCounts? workers)
    {
        // Only a process itself knows whether it works or waits: none of those makes room. Workers that accept decide it among themselves.
        bool isOfProcesses = model.Lane == LaneKind.Process && options.AtLimit == AtLimit.MakeRoom;
        Admission admission = new(
            isOfProcesses ? options with { AtLimit = AtLimit.LeaveInBacklog } : options,
            workers,
            model is { SessionsPerLane: 1, Lanes: not ServerModel.Many } ? FullLanes.LeastRest : TimeSpan.Zero);
        ILogger log = (options.Logging ?? NullLoggerFactory.Instance).CreateLogger("doorbell");

        // Each worker of a prefork has its share: it knows nothing of what the others hold.
        int shares = workers is not null && ModelFor(options) is { Lanes: not ServerModel.Many } shared ? shared.Lanes : 1;
        ServerMemory memory = new(admission.Connections, Math.Max(1, options.MaxBufferedBytes / shares), log);
        return new ServerContext(options, model, admission, ledger, new Shutdown(), log)
        {
            Memory = memory,
            Pool = memory.Pool,
            Connections = admission.Connections,
            Outgoing = OutgoingPlaces.Of(options),
        };
    }

    private static ServerModel ModelFor(ServerOptions options) => options switch
    {
        { Model: { } asked } => asked,
        _ when options.Services.All(static service => service.Program is not null) => ServerModel.Process,
        { Engine: EngineKind.Portable } => ServerModel.Async,
        _ => OperatingSystem.IsLinux() ? ServerModel.Loop() : ServerModel.Async,
    };

    private static bool IsAlone(DoorSocket socket, ServerOptions options) =>
        !socket.IsPassed && options.TakeoverPath is null && (socket.Door.Endpoint.IsUnix || !options.ReusePort);

    private static TakeoverClient? NoTakeover(out bool metDying)
    {
        metDying = false;
        return null;
    }

    /// <summary>Who serves already, in the place of a server that drains, serves on, even if the next one can't reach it.</summary>
    private static Task<int?>? SuccessorAsync(string path, Server server, bool tookOver)
    {
        try
        {
            return new TakeoverListener(path, server._sockets, server._context.Shutdown, server._context.Log).RunAsync();
        }
        catch (NetworkException failure) when (tookOver)
        {
            ServerLog.NoTakeover(server._context.Log, failure.Message);
            return null;
        }
    }

    private static Server InWorker(WorkerProcess worker, ServerOptions options, ServerModel model)
    {
        if (worker.Server != WorkerProcess.NameOf(options))
        {
            // Another server of the same program: it is the parent's alone.
            ServerContext idle = ContextOf(options, model, new Ledger([.. options.Counters]), null);
            return new Server(idle, model, EngineChoice.For(options.Engine, model, EngineSettings.Default).Engine.Name, []);
        }

        // What was made of the socket options the parent has told.
        DoorSocket[] sockets = [.. (worker.IsConnection ? [] : worker.Sockets)
            .Select(socket => Adopt(socket.Descriptor, socket.Door, options) with { Options = [], IsCountedElsewhere = true })];
        SharedLedgers shared = SharedLedgers.Open(worker.Ledger, worker.Slots, options.Counters);
        SharedCounts workers = new(shared, worker.Slot, Math.Min(worker.Slots, options.MaxConnections));
        ServerContext context = ContextOf(options, ServerModel.Iterative, shared[worker.Slot], workers);
        EpollEngine engine = new(EngineSettings.Default);
        return new Server(context, model, engine.Name, sockets) { Completion = WorkerServer.ServeAsync(worker, sockets, context, engine) };
    }

    /// <summary>A server of one connection that was passed, on a thread of its own.</summary>
    private static Server OfConnection(int descriptor, ServerOptions options)
    {
        string name = $"fd://{descriptor}";
        if (options.Services[0].Program is not null || options.TakeoverPath is not null)
        {
            throw new ArgumentException(options.TakeoverPath is not null
                ? $"{name} is a connection, which no other server can take over: leave out ServerOptions.TakeoverPath"
                : $"{name} is a connection: a program can be given it by whoever passed it, without this server between");
        }

        InheritedSocket.AdoptConnection(descriptor, name);
        ServerModel model = ServerModel.Iterative;
        ServerContext context = ContextOf(options, model, new Ledger([.. options.Counters]), null);
        Door door = new Door(InheritedSocket.DoorOfConnection(descriptor), Reach.OneAddress).With(options.ServedDoors[0], 0);
        AcceptedSocket accepted = new(descriptor, door, SocketAddresses.PeerOf(descriptor));
        Server server = new(context, model, new EpollEngine(EngineSettings.Default).Name, []) { ServesOneConnection = true };
        server.Completion = server.CompleteAsync(OneConnection.ServeAsync(accepted, context));
        _ = context.Memory.RunAsync(context.Shutdown.Aborting);
        return server;
    }

    private static DoorSocket Adopt(int descriptor, int door, ServerOptions options)
    {
        DoorSocket adopted = InheritedSocket.Adopt(descriptor, $"fd://{descriptor}", options.Listen);
        return adopted with { Door = adopted.Door.With(options.ServedDoors[door], door) };
    }

    /// <summary>Starts the lanes, and what looks at the server once a second.</summary>
    private void Serve(IEngine engine)
    {
        Completion = CompleteAsync(engine.ServeAsync(_sockets, _context));
        _ = _backlogs.RunAsync(_context.Shutdown.AcceptingStopped);
        _ = _counters.RunAsync(_context.Shutdown.Draining);
        _ = _context.Memory.RunAsync(_context.Shutdown.Aborting);
        _ = Orphans.RunAsync(_context.Shutdown.Aborting);
    }

    private async Task CompleteAsync(Task serving)
    {
        try
        {
            await serving.ConfigureAwait(false);
        }
        finally
        {
            foreach (DoorSocket bound in _sockets)
            {
                bound.Close(_context.Shutdown.IsHandedOver);
            }

            await _context.HandlerTasks.EndedAsync(_context.Shutdown.Aborting).ConfigureAwait(false);
        }
    }

    private void BeginDrain()
    {
        _backlogs.Look(MonotonicClock.Now); // the last time that the listeners can be read
        _context.Shutdown.Drain();
    }

    private async Task EndDrainAsync()
    {
        await Completion.ConfigureAwait(false);
        _counters.Look(MonotonicClock.Now);
    }

    private async Task TakenOverAsync()
    {
        HandedOverTo = _successor is null ? null : await _successor.ConfigureAwait(false);
        if (HandedOverTo is null)
        {
            await Task.Delay(Timeout.Infinite, _context.Shutdown.Aborting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void RequireOwnConnections()
    {
        if (_context.Model is { Lane: LaneKind.Process, Lanes: not ServerModel.Many })
        {
            throw new NotSupportedException(
                $"The connections of the model {Model.Name} can't be listed: its workers accept by themselves. Ledger.Read() counts them.");
        }
    }
}
