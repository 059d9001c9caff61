namespace Doorbell;

/// <summary>The process model: each connection is served by the program itself, started anew with that one socket.</summary>
internal sealed class WorkerPerConnection : ProcessLane
{
    /// <summary>So long after the abort a process may take to end by itself.</summary>
    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    private readonly WorkerLauncher _launcher;
    private readonly HashSet<int> _included = [];

    public WorkerPerConnection(IReadOnlyList<BoundSocket> listeners, Serving serving, StopEvents stop)
        : base(listeners, serving, stop) => _launcher = new WorkerLauncher(serving, stop, serving.Options.MaxConnections);

    protected override int TryStart(in Accepted accepted, int place, out ProcessConnection? connection)
    {
        connection = null;
        if (_included.Add(place))
        {
            Serving.Ledger.Include(_launcher.LedgerOf(place));
        }

        int errno = _launcher.TryStart(place, [accepted.Descriptor], isConnection: true, out ChildProcess child);
        if (errno == 0)
        {
            _ = Libc.close(accepted.Descriptor);
            connection = new ProcessConnection(accepted, child, place);
        }

        return errno;
    }

    protected override void ProcessEnded(ProcessConnection connection, ChildProcess.Status status, TimeSpan now)
    {
        bool aborted = Stop.IsAborting;
        _launcher.LedgerOf(connection.Place).Abandon(aborted ? CloseReason.DrainDeadline : CloseReason.ProcessDied);
        if (!status.IsInOrder && !aborted)
        {
            Serving.Ledger.ProcessLost();
            ServerLog.ProcessDied(Serving.Log, connection.Accepted.Door, connection.Child.Id, connection.Accepted.Peer, status.ToString());
        }

        Release(connection);
    }

    protected override void ItIsTime(ProcessConnection connection, TimeSpan now) =>
        connection.Child.SignalGroup(LibcProcesses.SignalKill);

    /// <summary>The process hears of both by itself; after the abort it is not waited for long.</summary>
    protected override void HearStop(ProcessConnection connection, TimeSpan now)
    {
        _launcher.Drain();
        if (Stop.IsAborting)
        {
            Timers.Ensure(connection, now + _killAfter);
        }
    }

    protected override void DisposeOwn() => _launcher.Dispose();
}
