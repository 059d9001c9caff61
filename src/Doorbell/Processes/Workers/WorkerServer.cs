using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes.Workers;

/// <summary>In a worker process: serves the sockets it was given, on threads that block, as long as its parent wants it to.</summary>
internal static class WorkerServer
{
    /// <summary>A worker whose parent was killed finishes what is in flight within this time.</summary>
    private static readonly TimeSpan _orphansDeadline = TimeSpan.FromSeconds(5);

    /// <summary>Serves until the parent drains, or is gone.</summary>
    public static async Task ServeAsync(
        WorkerProcess worker, IReadOnlyList<DoorSocket> sockets, ServerContext context, IEngine engine)
    {
        LaneThread.Start("parent", () => OnEvents(worker, context.Shutdown));
        if (worker.IsConnection)
        {
            (int connection, int number) = worker.Sockets[0];
            Door door = new Door(InheritedSocket.DoorOfConnection(connection), Reach.OneAddress)
                .With(context.Options.ServedDoors[number], number);
            await OneConnection.ServeAsync(new AcceptedSocket(connection, door, SocketAddresses.PeerOf(connection)), context)
                .ConfigureAwait(false);
            return;
        }

        await engine.ServeAsync(sockets, context).ConfigureAwait(false);
    }

    private static void OnEvents(WorkerProcess worker, Shutdown shutdown)
    {
        try
        {
            OnParentEvents(worker, shutdown);
        }
        catch (ObjectDisposedException)
        {
            // The server here has ended by itself.
        }
    }

    private static unsafe void OnParentEvents(WorkerProcess worker, Shutdown shutdown)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[4];
        descriptors[3] = new PollDescriptor { Descriptor = worker.StopAccepting, Events = PollDescriptor.In };
        descriptors[0] = new PollDescriptor { Descriptor = worker.Drain, Events = PollDescriptor.In };
        descriptors[1] = new PollDescriptor { Descriptor = worker.Abort, Events = PollDescriptor.In };
        descriptors[2] = new PollDescriptor { Descriptor = worker.Life, Events = 0 };
        while (true)
        {
            _ = Libc.poll(descriptors, 4, -1);
            if (descriptors[1].Returned != 0)
            {
                shutdown.Abort();
                return;
            }

            if (descriptors[3].Returned != 0)
            {
                descriptors[3].Descriptor = -1;
                shutdown.StopAccepting();
            }

            if (descriptors[0].Returned != 0)
            {
                descriptors[0].Descriptor = -1;
                shutdown.Drain();
            }

            if (descriptors[2].Returned != 0)
            {
                shutdown.Drain();
                descriptors[0].Descriptor = descriptors[2].Descriptor = -1;
                _ = Libc.poll(descriptors, 2, (int)_orphansDeadline.TotalMilliseconds);
                shutdown.Abort();
                return;
            }
        }
    }
}
