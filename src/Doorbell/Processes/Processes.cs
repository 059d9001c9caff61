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
        if (serving.Service.Program is { } program)
        {
            string file = ProgramFile.Find(program.FileName);
            return Task.WhenAll([
                .. listeners.Length > 0
                    ? [RunAsync(serving.Stop, () => new ProgramPerConnection(file, listeners, serving, stop))]
                    : Array.Empty<Task>(),
                .. datagrams.Select(socket => LaneThread.RunAsync(
                    "processes", serving.Stop, () => ServeDatagrams(file, socket, serving, stop)))]);
        }

        if (listeners.Length > 0)
        {
            all.Add(RunAsync(serving.Stop, () => new WorkerPerConnection(listeners, serving, stop)));
        }

        if (datagrams.Length > 0)
        {
            all.Add(RunWorkersAsync(serving.Model.DatagramLanes, datagrams, serving, stop));
        }

        return Task.WhenAll(all);
    }

    private static Task RunAsync(Stop stop, Func<ProcessLane> make) => LaneThread.RunAsync("processes", stop, () =>
    {
        using ProcessLane lane = make();
        lane.Run();
    });

    private static void ServeDatagrams(string file, BoundSocket socket, Serving serving, StopEvents stop)
    {
        using ProgramPerDatagram lane = new(file, socket, serving, stop);
        lane.Run();
    }

    private static Task RunWorkersAsync(int workers, IReadOnlyList<BoundSocket> sockets, Serving serving, StopEvents stop) =>
        LaneThread.RunAsync("workers", serving.Stop, () =>
        {
            using WorkerPool pool = new(workers, sockets, serving, stop);
            pool.Run();
        });
}
