using Doorbell.Lanes;
using Doorbell.Lanes.Datagrams;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Engines;

/// <summary>Linux's own calls: threads that block, event loops, and processes. What an event loop runs on is its heirs' matter.</summary>
internal abstract class LinuxEngine(EngineSettings settings) : IEngine
{
    protected EngineSettings Settings => settings;

    public abstract string Name { get; }

    public bool StartsProcesses => true;

    public abstract string? Refuses(ServerModel model);

    /// <summary>Why it can't run on another system.</summary>
    protected string NeedsLinux(ServerModel model) => model.Lane == LaneKind.Task
        ? $"the {Name} engine needs Linux: leave out the engine here"
        : $"the model {model.Name} needs Linux: use async here";

    public async Task ServeAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context)
    {
        using ShutdownEvents shutdown = new(context.Shutdown);
        DoorSocket[] programs = [.. sockets.Where(static socket => socket.Door.Service.Program is not null)];
        DoorSocket[] handlers = [.. sockets.Where(static socket => socket.Door.Service.Program is null)];
        await Task.WhenAll(
            ProcessEngine.ServeProgramsAsync(programs, context, shutdown),
            handlers.Length == 0 ? Task.CompletedTask
                : context.Model.Lane == LaneKind.Process ? ProcessEngine.ServeAsync(handlers, context, shutdown, settings.WorkerCommand)
                : ServeByThreadsAsync(handlers, context, shutdown)).ConfigureAwait(false);
    }

    /// <summary>Makes an event loop, on the thread that will run it; the answer runs it to its end.</summary>
    protected abstract Action BeginLoop(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown);

    private Task ServeByThreadsAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown)
    {
        DoorSocket[] listeners = [.. sockets.Where(static socket => socket.IsListener)];
        IEnumerable<Task> lanes = sockets.Where(static socket => !socket.IsListener)
            .Select(socket => LaneThread.RunAsync("datagrams", context, () => BeginDatagrams(socket, context, shutdown)));
        return Task.WhenAll([.. lanes, .. listeners.Length > 0 ? AcceptingLanes(listeners, context, shutdown) : []]);
    }

    private IEnumerable<Task> AcceptingLanes(DoorSocket[] listeners, ServerContext context, ShutdownEvents shutdown)
    {
        ServerModel model = context.Model;
        int lanes = model.Lanes == ServerModel.Many ? 1 : model.Lanes;
        SharedSockets all = new(listeners, lanes);
        return model switch
        {
            { Lanes: ServerModel.Many } => [RunThreadPerConnectionAsync(all, context, shutdown)],
            { SessionsPerLane: 1 } => [RunOneConnectionEachAsync(all, context, shutdown)],
            _ => Enumerable.Range(0, lanes).Select(_ => RunLoopAsync(all, context, shutdown)),
        };
    }

    private static async Task RunOneConnectionEachAsync(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown)
    {
        using FullLanes all = new(context, listeners.Sockets, listeners.Lanes);
        IEnumerable<Task> lanes = Enumerable.Range(0, listeners.Lanes).Select(_ => LaneThread.RunAsync(
            "lane",
            context,
            () => new BlockingLane(context, shutdown, BlockingLane.NewOutgoing(context, shutdown)).Begin(listeners, all)));
        await Task.WhenAll([all.RunAsync(), .. lanes]).ConfigureAwait(false);
    }

    private static Action BeginDatagrams(DoorSocket socket, ServerContext context, ShutdownEvents shutdown)
    {
        SharedSockets shared = new([socket], lanes: 1);
        BlockingDatagramLane lane = new(socket, context, shutdown);
        return () =>
        {
            try
            {
                lane.Run();
            }
            finally
            {
                shared.Leave();
            }
        };
    }

    private static Task RunThreadPerConnectionAsync(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown) =>
        LaneThread.RunAsync("acceptor", context, () =>
        {
            BlockingAcceptor acceptor = new(listeners, context, shutdown);
            return () =>
            {
                using ThreadPerConnection threads = new(context, shutdown);
                threads.Run(acceptor);
            };
        });

    private Task RunLoopAsync(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown) =>
        LaneThread.RunAsync("loop", context, () => BeginLoop(listeners, context, shutdown));
}
