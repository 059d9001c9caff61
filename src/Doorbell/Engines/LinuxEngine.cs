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

    /// <summary>Runs an event loop, on the calling thread, to its end.</summary>
    protected abstract void RunLoop(
        IReadOnlyList<DoorSocket> listeners, SharedSockets all, ServerContext context, ShutdownEvents shutdown);

    private Task ServeByThreadsAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown)
    {
        DoorSocket[] listeners = [.. sockets.Where(static socket => socket.IsListener)];
        IEnumerable<Task> lanes = sockets.Where(static socket => !socket.IsListener)
            .Select(socket => LaneThread.RunAsync("datagrams", context.Shutdown, () => ServeDatagrams(socket, context, shutdown)));
        return Task.WhenAll([.. lanes, .. listeners.Length > 0 ? AcceptingLanes(listeners, context, shutdown) : []]);
    }

    private IEnumerable<Task> AcceptingLanes(DoorSocket[] listeners, ServerContext context, ShutdownEvents shutdown)
    {
        ServerModel model = context.Model;
        int lanes = model.Lanes == ServerModel.Many ? 1 : model.Lanes;
        SharedSockets all = new(listeners, lanes);
        return Enumerable.Range(0, lanes).Select(lane => model switch
        {
            { Lanes: ServerModel.Many } => RunThreadPerConnectionAsync(all, context, shutdown),
            { SessionsPerLane: 1 } => LaneThread.RunAsync(
                "lane", context.Shutdown, () => new BlockingLane(context, shutdown, BlockingLane.NewOutgoing(context, shutdown)).Run(all)),
            _ => RunLoopAsync(ShareOf(lane, listeners, lanes), all, context, shutdown),
        });
    }

    private static void ServeDatagrams(DoorSocket socket, ServerContext context, ShutdownEvents shutdown)
    {
        SharedSockets shared = new([socket], lanes: 1);
        try
        {
            new BlockingDatagramLane(socket, context, shutdown).Run();
        }
        finally
        {
            shared.Leave();
        }
    }

    private static Task RunThreadPerConnectionAsync(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown) =>
        LaneThread.RunAsync("acceptor", context.Shutdown, () =>
        {
            using ThreadPerConnection threads = new(listeners, context, shutdown);
            threads.Run();
        });

    private Task RunLoopAsync(List<DoorSocket> listeners, SharedSockets all, ServerContext context, ShutdownEvents shutdown) =>
        LaneThread.RunAsync("loop", context.Shutdown, () => RunLoop(listeners, all, context, shutdown));

    /// <summary>Of the listeners of each door every loop has its own, as far as they go; a door with fewer is shared.</summary>
    private static List<DoorSocket> ShareOf(int lane, DoorSocket[] listeners, int lanes) =>
        [.. listeners.GroupBy(static listener => listener.Door).SelectMany(door => Share(lane, [.. door], lanes))];

    private static IEnumerable<DoorSocket> Share(int lane, DoorSocket[] ofDoor, int lanes) => ofDoor.Length >= lanes
        ? ofDoor.Where((_, index) => index % lanes == lane)
        : [ofDoor[lane % ofDoor.Length]];
}
