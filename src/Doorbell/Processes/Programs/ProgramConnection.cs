using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Processes.Spawning;

namespace Doorbell.Processes.Programs;

/// <summary>A connection that a program serves: what is known of it while the program has the socket.</summary>
internal sealed class ProgramConnection(
    in AcceptedSocket accepted,
    ChildProcess child,
    int slot,
    Action<ProcessConnection, TimeSpan> due,
    Action<ProcessConnection> asked,
    TimeSpan now)
    : ProcessConnection(accepted, child, slot, due, asked)
{
    public enum Stage
    {
        /// <summary>The program runs.</summary>
        Running,

        /// <summary>It has ended, and left others of its process group behind, which have the socket too.</summary>
        Survived,

        /// <summary>Nobody has the socket but us: the peer takes the rest and closes.</summary>
        Lingering,
    }

    public TimeSpan Opened { get; } = now;

    public Stage At { get; set; }

    public CloseReason Reason { get; set; }

    /// <summary>When the process group is signalled next, and by what.</summary>
    public TimeSpan SignalAt { get; private set; } = TimeSpan.MaxValue;

    public int Signal { get; private set; } = LibcProcesses.SignalTerminate;

    /// <summary>When a byte moved last, as far as events tell: of a unix socket.</summary>
    public TimeSpan Moved { get; set; } = now;

    /// <summary>The peer's FIN has come.</summary>
    public bool PeerEnded { get; set; }

    /// <summary>The connection was reset.</summary>
    public bool WasReset { get; set; }

    /// <summary>It has been told the end of its input, because the server drains.</summary>
    public bool InputEnded { get; set; }

    /// <summary>When the peer is waited for no longer.</summary>
    public TimeSpan LingerUntil { get; set; } = TimeSpan.MaxValue;

    /// <summary>It has been killed; if it has not ended by then, it is not waited for.</summary>
    public TimeSpan GiveUpAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>When the program ended; what it started may live on.</summary>
    public TimeSpan Ended { get; set; }

    /// <summary>Its end has been decided.</summary>
    public bool IsEnding => SignalAt != TimeSpan.MaxValue;

    /// <summary>Ends the process at a time, or at an earlier one if that was said already.</summary>
    public void EndAt(TimeSpan time, CloseReason reason)
    {
        if (time < SignalAt && Signal == LibcProcesses.SignalTerminate)
        {
            SignalAt = time;
            Reason = reason;
        }
    }

    /// <summary>
    /// Sends what is due: first SIGTERM, then SIGKILL, which nothing ignores. What is left after that can't be killed, or has been and was
    /// not reaped: its connection ends all the same.
    /// </summary>
    public void SignalIfDue(TimeSpan time, TimeSpan killAfter)
    {
        if (time >= SignalAt)
        {
            Child.SignalGroup(Signal);
            if (Signal == LibcProcesses.SignalKill && GiveUpAt == TimeSpan.MaxValue)
            {
                GiveUpAt = time + killAfter;
            }

            Signal = LibcProcesses.SignalKill;
            SignalAt = time + killAfter;
        }
    }

    public void Kill(CloseReason reason)
    {
        Reason = reason;
        Child.SignalGroup(LibcProcesses.SignalKill);
    }
}
