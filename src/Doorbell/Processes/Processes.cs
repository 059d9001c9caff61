namespace Doorbell;

/// <summary>The server models whose lanes are processes.</summary>
internal static class Processes
{
    public static Task ServeAsync(IReadOnlyList<BoundSocket> sockets, Serving serving, StopEvents stop)
    {
        if (serving.Model.Lanes != ServerModel.Many)
        {
            return RunWorkersAsync(serving.Model.Lanes, sockets, serving, stop);
        }

        BoundSocket[] listeners = [.. sockets.Where(static socket => socket.IsListener)];
        BoundSocket[] datagrams = [.. sockets.Where(static socket => !socket.IsListener)];
        List<Task> all = [];
        if (listeners.Length > 0)
        {
            all.Add(RunAsync(() => new WorkerPerConnection(listeners, serving, stop)));
        }

        if (datagrams.Length > 0)
        {
            all.Add(RunWorkersAsync(serving.Model.DatagramLanes, datagrams, serving, stop));
        }

        return Task.WhenAll(all);
    }

    private static Task RunAsync(Func<ProcessLane> make) => LaneThread.RunAsync("processes", () =>
    {
        using ProcessLane lane = make();
        lane.Run();
    });

    private static Task RunWorkersAsync(int workers, IReadOnlyList<BoundSocket> sockets, Serving serving, StopEvents stop) =>
        LaneThread.RunAsync("workers", () =>
        {
            using WorkerPool pool = new(workers, sockets, serving, stop);
            pool.Run();
        });
}
