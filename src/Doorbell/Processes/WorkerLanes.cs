namespace Doorbell;

/// <summary>In a worker process: serves the sockets it was given, on threads that block, as long as its parent wants it to.</summary>
internal static class WorkerLanes
{
    /// <summary>A worker whose parent was killed finishes what is in flight within this time.</summary>
    private static readonly TimeSpan _orphansDeadline = TimeSpan.FromSeconds(5);

    /// <summary>Serves until the parent drains, or is gone.</summary>
    public static async Task ServeAsync(
        WorkerProcess worker, IReadOnlyList<BoundSocket> sockets, Serving serving)
    {
        LaneThread.Start("parent", () => Heed(worker, serving.Stop));
        if (worker.IsConnection)
        {
            using StopEvents stop = new(serving.Stop);
            int connection = worker.Sockets[0];
            Accepted accepted = new(connection, InheritedSocket.DoorOfConnection(connection), WorkerProcess.PeerOf(connection));
            serving.Admission.TryEnter();
            BlockingLane lane = new(serving, stop);
            await LaneThread.RunAsync("connection", serving.Stop, () => lane.Carry(accepted)).ConfigureAwait(false);
            return;
        }

        await new EpollEngine().ServeAsync(sockets, serving).ConfigureAwait(false);
    }

    private static void Heed(WorkerProcess worker, Stop stop)
    {
        try
        {
            HeedParent(worker, stop);
        }
        catch (ObjectDisposedException)
        {
            // The server here has ended by itself.
        }
    }

    private static unsafe void HeedParent(WorkerProcess worker, Stop stop)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[3];
        descriptors[0] = new PollDescriptor { Descriptor = worker.Drain, Events = PollDescriptor.In };
        descriptors[1] = new PollDescriptor { Descriptor = worker.Abort, Events = PollDescriptor.In };
        descriptors[2] = new PollDescriptor { Descriptor = worker.Life, Events = 0 };
        while (true)
        {
            _ = Libc.poll(descriptors, 3, -1);
            if (descriptors[1].Returned != 0)
            {
                stop.Abort();
                return;
            }

            if (descriptors[0].Returned != 0)
            {
                descriptors[0].Descriptor = -1;
                stop.Drain();
            }

            if (descriptors[2].Returned != 0)
            {
                stop.Drain();
                descriptors[0].Descriptor = descriptors[2].Descriptor = -1;
                _ = Libc.poll(descriptors, 2, (int)_orphansDeadline.TotalMilliseconds);
                stop.Abort();
                return;
            }
        }
    }
}
