using Doorbell.Lanes;
using Doorbell.Lanes.Loops;
using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Engines;

/// <summary>Event loops on io_uring(7). Datagrams are received and sent in batches by calls of their own, as under epoll.</summary>
internal sealed unsafe class UringEngine(EngineSettings settings) : LinuxEngine(settings)
{
    public override string Name => "io_uring";

    /// <summary>
    /// Why the system does not let us have what we need of it, tried once by doing it; null if it does. A container's seccomp profile
    /// refuses the first call, a kernel before 6.1 one of its flags.
    /// </summary>
    public static string? RefusedBecause()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "it needs Linux";
        }

        try
        {
            using IoUring ring = new(8, 16);
            using ProvidedBuffers buffers = new(ring, group: 0, 8, 64);
            return Exchanges(ring) ? null : "this kernel has no multishot receive (Linux 6.0)";
        }
        catch (NetworkException refused)
        {
            return refused.ErrnoName switch
            {
                "EPERM" => "EPERM, by a container's seccomp profile or the sysctl kernel.io_uring_disabled",
                "ENOSYS" => "ENOSYS, this kernel was built without it",
                "EINVAL" => "EINVAL, this kernel is older than Linux 6.1",
                _ => refused.Message,
            };
        }
    }

    public override string? Refuses(ServerModel model) =>
        !OperatingSystem.IsLinux() ? NeedsLinux(model)
        : model is { Lane: LaneKind.Thread, SessionsPerLane: ServerModel.Many } ? null
        : $"the io_uring engine runs event loops, the model loop; for the model {model.Name} leave out the engine";

    protected override Action BeginLoop(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown)
    {
        LoopLane<UringConnection> lane = UringBackend.NewLane(listeners, context, shutdown, Settings.RingSizes);
        return () =>
        {
            using (lane)
            {
                lane.Run();
            }
        };
    }

    /// <summary>A byte, sent and received as a lane does it.</summary>
    private static bool Exchanges(IoUring ring)
    {
        int* pair = stackalloc int[2];
        if (Libc.socketpair(Libc.UnixFamily, Libc.StreamType | Libc.SocketCloseOnExec, 0, pair) != 0)
        {
            throw NetworkException.FromErrno("socketpair", "a trial of io_uring", LinuxErrno.Last);
        }

        byte sent = 1;
        ref Submission receive = ref ring.Next();
        receive.Operation = Operation.Receive;
        receive.Descriptor = pair[0];
        receive.Flags = Operation.SelectBuffer;
        receive.Priority = Operation.ReceiveMultishot;
        receive.UserData = Operation.UserData(Operation.Receive, 0);
        ref Submission send = ref ring.Next();
        send.Operation = Operation.Send;
        send.Descriptor = pair[1];
        send.Address = (ulong)&sent;
        send.Length = 1;
        send.UserData = Operation.UserData(Operation.Send, 0);
        ring.Enter(2, 1000);
        bool received = false;
        while (ring.TryTake(out Completion completion))
        {
            const uint Expected = Completion.HasBuffer | Completion.More;
            received |= Operation.Of(completion.UserData) == Operation.Receive && (completion.Flags & Expected) == Expected;
        }

        _ = Libc.close(pair[0]);
        _ = Libc.close(pair[1]);
        return received;
    }
}
