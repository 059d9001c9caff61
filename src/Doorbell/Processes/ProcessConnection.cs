using Doorbell.Lanes;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;

namespace Doorbell.Processes;

/// <summary>A connection that a process of its own serves.</summary>
/// <param name="accepted">The connection.</param>
/// <param name="child">The process.</param>
/// <param name="slot">Its index in the lane's table, and in what its processes share.</param>
/// <param name="due">Called on the lane's thread when the timer has come.</param>
/// <param name="asked">Called on any thread when the connection is asked to close.</param>
internal class ProcessConnection(
    in AcceptedSocket accepted,
    ChildProcess child,
    int slot,
    Action<ProcessConnection, TimeSpan> due,
    Action<ProcessConnection> asked) : Timed, IOpenConnection
{
    private readonly TimeSpan _opened = MonotonicClock.Now;
    private long _id;

    /// <summary>A number that no other connection of this process has.</summary>
    public long Id => ConnectionId.Of(ref _id);

    /// <summary>How it has been asked to close; null while it has not.</summary>
    public CloseMode? Asked { get; private set; }

    int IOpenConnection.ListIndex { get; set; }

    Door? IOpenConnection.At => Accepted.At;

    public AcceptedSocket Accepted { get; } = accepted;

    public ChildProcess Child { get; } = child;

    /// <summary>Its index in the lane's table, and in what its processes share.</summary>
    public int Slot { get; } = slot;

    public sealed override void OnTimer(TimeSpan now) => due(this, now);

    public ConnectionSnapshot Read(TimeSpan now) => new()
    {
        Id = Id,
        Door = Accepted.Door,
        Peer = Accepted.Peer,
        Age = now - _opened,
        State = ConnectionState.InProcess,
        ProcessId = Child.Id,
    };

    /// <summary>Only the process knows whether it works or waits.</summary>
    TimeSpan IOpenConnection.RestAt(TimeSpan now) => TimeSpan.Zero;

    RoomOrder? IOpenConnection.RoomOrder => null;

    void IOpenConnection.AskToMakeRoom(RoomOrder order) => throw new InvalidOperationException("A process is never at rest.");

    /// <summary>Its bytes are the process's, or the kernel's.</summary>
    long IOpenConnection.HeldBytes => 0;

    void IOpenConnection.AskToGiveBack(long held) => throw new InvalidOperationException("A process holds no memory of ours.");

    public void AskToClose(CloseMode how)
    {
        Asked = Asked == CloseMode.Abort ? CloseMode.Abort : how;
        asked(this);
    }
}
