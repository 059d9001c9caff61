using Doorbell.Lanes;
using Doorbell.Lanes.Loops;
using Doorbell.Serving;

namespace Doorbell.Engines;

/// <summary>Event loops on epoll(7), threads that block, processes: every model but that of tasks.</summary>
internal sealed class EpollEngine(EngineSettings settings) : LinuxEngine(settings)
{
    public override string Name => "epoll";

    public override string? Refuses(ServerModel model)
    {
        if (!OperatingSystem.IsLinux())
        {
            return NeedsLinux(model);
        }

        return model.Lane == LaneKind.Task
            ? "the epoll engine has no lanes that are tasks: give another model than async, or the portable engine"
            : null;
    }

    protected override Action BeginLoop(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown)
    {
        LoopLane<PolledConnection> lane = EpollBackend.NewLane(listeners, context, shutdown);
        return () =>
        {
            using (lane)
            {
                lane.Run();
            }
        };
    }
}
