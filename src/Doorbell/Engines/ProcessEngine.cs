using Doorbell.Lanes;
using Doorbell.Processes;
using Doorbell.Processes.Programs;
using Doorbell.Processes.Workers;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Engines;

/// <summary>The server models whose lanes are processes.</summary>
internal static class ProcessEngine
{
    /// <param name="sockets">What to serve.</param>
    /// <param name="context">How.</param>
    /// <param name="shutdown">When to stop.</param>
    /// <param name="command">What a worker process runs; null for this program, as it was called.</param>
    public static Task ServeAsync(
        IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown, IReadOnlyList<string>? command)
    {
        if (context.Model.Lanes != ServerModel.Many)
        {
            return RunWorkersAsync(context.Model.Lanes, sockets, context, shutdown, command);
        }

        DoorSocket[] listeners = [.. sockets.Where(static socket => socket.IsListener)];
        DoorSocket[] datagrams = [.. sockets.Where(static socket => !socket.IsListener)];
        List<Task> all = [];
        if (listeners.Length > 0)
        {
            all.Add(RunAsync(context, () => new WorkerPerConnection(listeners, context, shutdown, command)));
        }

        if (datagrams.Length > 0)
        {
            all.Add(RunWorkersAsync(context.Model.DatagramLanes, datagrams, context, shutdown, command));
        }

        return Task.WhenAll(all);
    }

    /// <summary>Doors whose services are programs, under any model: a process for each connection or datagram.</summary>
    public static Task ServeProgramsAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown) =>
        Task.WhenAll(sockets.GroupBy(static socket => socket.Door.Service)
            .SelectMany(ofProgram => ServeProgram(ofProgram.Key.Program!, [.. ofProgram], context, shutdown)));

    private static List<Task> ServeProgram(
        ServiceProgram program, IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown)
    {
        string file = ProgramFile.Find(program.FileName);
        DoorSocket[] listeners = [.. sockets.Where(static socket => socket.IsListener)];
        List<Task> all = [.. sockets.Where(static socket => !socket.IsListener).Select(socket => LaneThread.RunAsync(
            "processes", context, () => BeginDatagrams(file, socket, context, shutdown)))];
        if (listeners.Length > 0)
        {
            all.Add(RunAsync(context, () => new ProgramPerConnection(file, listeners, context, shutdown)));
        }

        return all;
    }

    private static Task RunAsync(ServerContext context, Func<ProcessLane> make) => LaneThread.RunAsync("processes", context, () =>
    {
        ProcessLane lane = make();
        return () =>
        {
            using (lane)
            {
                lane.Run();
            }
        };
    });

    private static Action BeginDatagrams(string file, DoorSocket socket, ServerContext context, ShutdownEvents shutdown)
    {
        SharedSockets shared = new([socket], lanes: 1);
        ProgramPerDatagram lane = new(file, socket, context, shutdown);
        return () =>
        {
            try
            {
                using (lane)
                {
                    lane.Run();
                }
            }
            finally
            {
                shared.Leave();
            }
        };
    }

    private static Task RunWorkersAsync(
        int workers, IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown, IReadOnlyList<string>? command) =>
        LaneThread.RunAsync("workers", context, () =>
        {
            WorkerPool pool = new(workers, sockets, context, shutdown, command);
            return () =>
            {
                using (pool)
                {
                    pool.Run();
                }
            };
        });
}
