namespace Doorbell;

/// <summary>Linux's own calls: threads that block, event loops, and processes. What an event loop runs on is its heirs' matter.</summary>
internal abstract class LinuxEngine : IEngine
{
    public abstract string Name { get; }

    public abstract string? Refuses(ServerModel model);

    public async Task ServeAsync(IReadOnlyList<BoundSocket> sockets, Serving serving)
    {
        using StopEvents stop = new(serving.Stop);
        await (serving.Model.Lane == LaneKind.Process
            ? Processes.ServeAsync(sockets, serving, stop)
            : ServeByThreadsAsync(sockets, serving, stop)).ConfigureAwait(false);
    }

    protected abstract LoopLane NewLoop(IReadOnlyList<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop);

    private Task ServeByThreadsAsync(IReadOnlyList<BoundSocket> sockets, Serving serving, StopEvents stop)
    {
        BoundSocket[] listeners = [.. sockets.Where(static socket => socket.IsListener)];
        IEnumerable<Task> lanes = sockets.Where(static socket => !socket.IsListener)
            .Select(socket => LaneThread.RunAsync(
                "datagrams", serving.Stop, () => new BlockingDatagramLane(socket, serving, stop).Run()));
        return Task.WhenAll([.. lanes, .. listeners.Length > 0 ? AcceptingLanes(listeners, serving, stop) : []]);
    }

    private IEnumerable<Task> AcceptingLanes(BoundSocket[] listeners, Serving serving, StopEvents stop)
    {
        ServerModel model = serving.Model;
        int lanes = model.Lanes == ServerModel.Many ? 1 : model.Lanes;
        Listeners all = new(listeners, lanes);
        return Enumerable.Range(0, lanes).Select(lane => model switch
        {
            { Lanes: ServerModel.Many } => RunThreadPerConnectionAsync(all, serving, stop),
            { SessionsPerLane: 1 } => LaneThread.RunAsync("lane", serving.Stop, () => new BlockingLane(serving, stop).Run(all)),
            _ => RunLoopAsync(ShareOf(lane, listeners, lanes), all, serving, stop),
        });
    }

    private static Task RunThreadPerConnectionAsync(Listeners listeners, Serving serving, StopEvents stop) =>
        LaneThread.RunAsync("acceptor", serving.Stop, () =>
        {
            using ThreadPerConnection threads = new(listeners, serving, stop);
            threads.Run();
        });

    private Task RunLoopAsync(List<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop) =>
        LaneThread.RunAsync("loop", serving.Stop, () =>
        {
            using LoopLane lane = NewLoop(listeners, all, serving, stop);
            lane.Run();
        });

    /// <summary>Of the listeners of each door every loop has its own, as far as they go; a door with fewer is shared.</summary>
    private static List<BoundSocket> ShareOf(int lane, BoundSocket[] listeners, int lanes) =>
        [.. listeners.GroupBy(static listener => listener.Door).SelectMany(door => Share(lane, [.. door], lanes))];

    private static IEnumerable<BoundSocket> Share(int lane, BoundSocket[] ofDoor, int lanes) => ofDoor.Length >= lanes
        ? ofDoor.Where((_, index) => index % lanes == lane)
        : [ofDoor[lane % ofDoor.Length]];
}
