namespace Doorbell;

/// <summary>Linux's own calls: threads that block, event loops on epoll(7), and processes.</summary>
internal sealed class EpollEngine : IEngine
{
    public string Name => "epoll";

    public string? Refuses(ServerModel model)
    {
        if (!OperatingSystem.IsLinux())
        {
            return $"the model {model.Name} needs Linux: use async here";
        }

        return model.Lane == LaneKind.Task ? "the epoll engine has no lanes that are tasks" : null;
    }

    public async Task ServeStreamsAsync(IReadOnlyList<BoundSocket> listeners, Serving serving)
    {
        ServerModel model = serving.Model;
        using StopEvents stop = new(serving.Stop);
        Listeners all = new(listeners, model.Lanes == ServerModel.Many ? 1 : model.Lanes);
        await (model switch
        {
            { Lanes: ServerModel.Many } => RunThreadPerConnectionAsync(all, serving, stop),
            { SessionsPerLane: 1 } => RunLanesAsync(
                model, _ => LaneThread.RunAsync("lane", () => new BlockingLane(serving, stop).Run(all))),
            _ => RunLanesAsync(model, lane => RunLoopAsync(ShareOf(lane, listeners, model.Lanes), all, serving, stop)),
        }).ConfigureAwait(false);
    }

    public async Task ServeDatagramsAsync(BoundSocket socket, Serving serving)
    {
        using StopEvents stop = new(serving.Stop);
        await LaneThread.RunAsync("datagrams", () => new BlockingDatagramLane(socket, serving, stop).Run()).ConfigureAwait(false);
    }

    private static Task RunLanesAsync(ServerModel model, Func<int, Task> run) =>
        Task.WhenAll(Enumerable.Range(0, model.Lanes).Select(run));

    private static Task RunThreadPerConnectionAsync(Listeners listeners, Serving serving, StopEvents stop) =>
        LaneThread.RunAsync("acceptor", () =>
        {
            using ThreadPerConnection threads = new(listeners, serving, stop);
            threads.Run();
        });

    private static Task RunLoopAsync(List<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop) =>
        LaneThread.RunAsync("loop", () =>
        {
            using LoopLane lane = new(listeners, all, serving, stop);
            lane.Run();
        });

    /// <summary>Of the listeners of each door every loop has its own, as far as they go; a door with fewer is shared.</summary>
    private static List<BoundSocket> ShareOf(int lane, IReadOnlyList<BoundSocket> listeners, int lanes) =>
        [.. listeners.GroupBy(static listener => listener.Door).SelectMany(door => Share(lane, [.. door], lanes))];

    private static IEnumerable<BoundSocket> Share(int lane, BoundSocket[] ofDoor, int lanes) => ofDoor.Length >= lanes
        ? ofDoor.Where((_, index) => index % lanes == lane)
        : [ofDoor[lane % ofDoor.Length]];
}
