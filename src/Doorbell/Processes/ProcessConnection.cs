using Doorbell.Lanes;
using Doorbell.Processes.Spawning;

namespace Doorbell.Processes;

/// <summary>A connection that a process of its own serves.</summary>
internal class ProcessConnection(in AcceptedSocket accepted, ChildProcess child, int slot, ProcessLane lane) : Timed
{
    public AcceptedSocket Accepted { get; } = accepted;

    public ChildProcess Child { get; } = child;

    /// <summary>Its index in the lane's table, and in what its processes share.</summary>
    public int Slot { get; } = slot;

    public sealed override void OnTimer(TimeSpan now) => lane.OnTimer(this, now);
}
