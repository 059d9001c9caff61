using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes.Workers;

/// <summary>The process model: each connection is served by the program itself, started anew with that one socket.</summary>
internal sealed class WorkerPerConnection : ProcessLane
{
    /// <summary>So long after the abort a process may take to end by itself.</summary>
    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    private readonly WorkerLauncher _launcher;
    private readonly HashSet<int> _included = [];

    /// <summary>How many connections each slot's processes had counted when its last process was started.</summary>
    private readonly Dictionary<int, long> _openedBefore = [];

    public WorkerPerConnection(
        IReadOnlyList<DoorSocket> listeners, ServerContext context, ShutdownEvents shutdown, IReadOnlyList<string>? command)
        : base(listeners, context, shutdown) => _launcher =
        new WorkerLauncher(context, shutdown, context.Options.MaxConnections, command);

    protected override int TryStart(in AcceptedSocket accepted, int slot, out ProcessConnection? connection)
    {
        connection = null;
        if (_included.Add(slot))
        {
            Context.Ledger.Include(_launcher.LedgerOf(slot));
        }

        _openedBefore[slot] = _launcher.LedgerOf(slot).Read().ConnectionsOpened;
        int errno = _launcher.TryStart(slot, [(accepted.Descriptor, accepted.At.Number)], isConnection: true, out ChildProcess child);
        if (errno == 0)
        {
            _ = Libc.close(accepted.Descriptor);
            connection = new ProcessConnection(accepted, child, slot, OnTimer, OnAsked);
        }

        return errno;
    }

    protected override void ProcessEnded(ProcessConnection connection, ChildProcess.Status status, TimeSpan now)
    {
        CloseReason reason = Loop.IsAborting ? CloseReason.DrainDeadline
            : connection.Asked is not null ? CloseReason.ServerClosed
            : CloseReason.ProcessDied;
        _launcher.ForgetConnectionOf(connection.Slot);
        Ledger ledger = _launcher.LedgerOf(connection.Slot);
        LedgerSnapshot counts = ledger.Read();
        bool countedNothing = counts.ConnectionsOpened == _openedBefore[connection.Slot];
        if (countedNothing)
        {
            // It died while it started: its connection was accepted all the same.
            ledger.ConnectionOpened();
        }

        ledger.Abandon(reason);
        if (reason == CloseReason.ProcessDied && (countedNothing || counts.ConnectionsOpen > 0 || !status.IsInOrder))
        {
            Context.Ledger.ProcessLost();
            ServerLog.ProcessDied(Context.Log, connection.Accepted.Door, connection.Child.Id, connection.Accepted.Peer, status.ToString());
        }

        Release(connection);
    }

    protected override void OnTimer(ProcessConnection connection, TimeSpan now) =>
        connection.Child.SignalGroup(LibcProcesses.SignalKill);

    /// <summary>A process that serves one connection is told to drain as any server is: by SIGTERM.</summary>
    protected override void CloseAsked(ProcessConnection connection, TimeSpan now) =>
        connection.Child.SignalGroup(connection.Asked == CloseMode.Abort ? LibcProcesses.SignalKill : LibcProcesses.SignalTerminate);

    /// <summary>The process hears of both by itself; after the abort it is not waited for long.</summary>
    protected override void OnShutdown(ProcessConnection connection, TimeSpan now)
    {
        _launcher.Drain();
        if (Loop.IsAborting)
        {
            Timers.Ensure(connection, now + _killAfter);
        }
    }

    protected override void DisposeOwn() => _launcher.Dispose();
}
