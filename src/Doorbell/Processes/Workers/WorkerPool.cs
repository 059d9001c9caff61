using Doorbell.Lanes;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes.Workers;

/// <summary>
/// Long-lived processes that serve the same listeners, and datagram sockets of their own: one that dies is replaced, sooner if it
/// had lived for long.
/// </summary>
internal sealed class WorkerPool : IEventLoopUser, IDisposable
{
    private static readonly TimeSpan _longLife = TimeSpan.FromSeconds(10);

    /// <summary>How often the kernel is asked what it has dropped.</summary>
    private static readonly TimeSpan _askEvery = TimeSpan.FromSeconds(1);

    /// <summary>So long after the abort a process may take to end by itself.</summary>
    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<DoorSocket> _sockets;
    private readonly ServerContext _context;
    private readonly WorkerLauncher _launcher;

    /// <summary>The pool's part in them, until it needs them for no further worker.</summary>
    private SharedSockets? _listeners;
    private readonly Worker[] _workers;
    private readonly EventLoop _loop;
    private readonly Backoff _log = new();
    private readonly bool _hasDatagrams;
    private TimeSpan _askAgain;

    public WorkerPool(
        int workers, IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown, IReadOnlyList<string>? command)
    {
        _sockets = sockets;
        _listeners = new SharedSockets([.. sockets.Where(static socket => socket.IsListener)], lanes: 1);
        _hasDatagrams = sockets.Any(static socket => !socket.IsListener);
        _context = context;
        _loop = new EventLoop(shutdown);
        _launcher = new WorkerLauncher(context, shutdown, workers, command);
        _workers = [.. Enumerable.Range(0, workers).Select(slot => new Worker(slot, SocketsOf(slot, workers), this))];
        foreach (Worker worker in _workers)
        {
            context.Ledger.Include(_launcher.LedgerOf(worker.Slot));
        }

        foreach (DoorSocket socket in sockets)
        {
            socket.Socket.Blocking = false;
        }
    }

    /// <summary>Keeps the workers running until the drain, then waits for the last.</summary>
    public void Run()
    {
        TimeSpan now = MonotonicClock.Now;
        foreach (Worker worker in _workers)
        {
            Start(worker, now);
        }

        _loop.Run(this);
    }

    public TimeSpan OnRound(TimeSpan now)
    {
        if (!_workers.Any(worker => worker.IsRunning || IsNeeded(worker)))
        {
            _loop.Stop();
        }

        if (!_hasDatagrams)
        {
            return TimeSpan.MaxValue;
        }

        if (now >= _askAgain)
        {
            Array.ForEach(_workers, worker => worker.CountDropped(now));
            _askAgain = now + _askEvery;
        }

        return _askAgain;
    }

    public void OnShutdown(TimeSpan now)
    {
        // The workers hear it when nobody can connect any more: they accept what is in the backlog, and the listeners close with the last
        // of them. None of them knows whether it is the last.
        if (_listeners is not null)
        {
            DoorSocket.StopConnects(_listeners.Sockets);
            _launcher.StopAccepting();
        }

        LeaveOnce(ref _listeners);
        if (!_loop.IsDraining)
        {
            return;
        }

        _launcher.Drain();

        if (_loop.IsAborting)
        {
            foreach (Worker worker in _workers)
            {
                _loop.Timers.Ensure(worker, now + _killAfter);
            }
        }
    }

    public void Dispose()
    {
        LeaveOnce(ref _listeners);
        Array.ForEach(_workers, static worker => worker.CloseDatagrams());
        _launcher.Dispose();
        _loop.Dispose();
    }

    private static void LeaveOnce(ref SharedSockets? shared)
    {
        shared?.Leave();
        shared = null;
    }

    /// <summary>Whether there is anything for it to serve. Once no more is accepted, that is datagrams alone.</summary>
    private bool IsNeeded(Worker worker) => !_loop.IsDraining && worker.Sockets.Any(socket => !_loop.AcceptsLast || !socket.IsListener);

    /// <summary>
    /// All listeners, unless there may be fewer connections than workers, and of each door's datagram sockets the one for this worker.
    /// </summary>
    private DoorSocket[] SocketsOf(int slot, int workers)
    {
        // A worker carries one connection: so many accept as there may be connections.
        IEnumerable<DoorSocket> listeners =
            _sockets.Where(socket => socket.IsListener && slot < _context.Options.MaxConnections);
        IEnumerable<DoorSocket> own = _sockets.Where(static socket => !socket.IsListener)
            .GroupBy(static socket => socket.Door)
            .SelectMany(door => door.Where((_, index) => index % workers == slot));
        return [.. listeners, .. own];
    }

    private void Start(Worker worker, TimeSpan now)
    {
        if (!IsNeeded(worker))
        {
            return;
        }

        (int, int)[] sockets = [.. worker.Sockets.Where(socket => !_loop.AcceptsLast || !socket.IsListener)
            .Select(static socket => (socket.Descriptor, socket.Door.Number))];
        int errno = _launcher.TryStart(worker.Slot, sockets, isConnection: false, out worker.Child);
        if (errno == 0)
        {
            worker.IsRunning = true;
            worker.Began = now;
            _loop.Watch(worker.Child.Descriptor, Epoll.In, (_, time) => Reap(worker, time));
            return;
        }

        _context.Ledger.ProcessLost();
        if (_log.MayLog())
        {
            ServerLog.ProcessFailed(_context.Log, NetworkException.FromErrno("posix_spawn", "a worker process", errno).Message);
        }

        _loop.Timers.Ensure(worker, now + worker.Backoff.Next());
    }

    private void Reap(Worker worker, TimeSpan now)
    {
        if (!worker.IsRunning || worker.Child.Reap() is not { } status)
        {
            return;
        }

        worker.IsRunning = false;
        _loop.Timers.Remove(worker);
        _loop.Forget(worker.Child.Descriptor);
        worker.Child.CloseDescriptor();
        _launcher.ForgetConnectionOf(worker.Slot);
        Ledger ledger = _launcher.LedgerOf(worker.Slot);
        bool leftConnections = ledger.Read().ConnectionsOpen > 0;
        ledger.Abandon(_loop.IsAborting ? CloseReason.DrainDeadline : CloseReason.ProcessDied);
        if (!_loop.IsAborting && (leftConnections || !status.IsInOrder))
        {
            _context.Ledger.ProcessLost();
        }

        if (!IsNeeded(worker))
        {
            worker.CloseDatagrams();
            return;
        }

        if (now - worker.Began > _longLife)
        {
            worker.Backoff.Reset();
        }

        TimeSpan wait = worker.Backoff.Next();
        if (_log.MayLog())
        {
            ServerLog.WorkerEnded(_context.Log, worker.Child.Id, status.ToString(), (int)wait.TotalMilliseconds);
        }

        _loop.Timers.Ensure(worker, now + wait);
    }

    private void OnTimer(Worker worker, TimeSpan now)
    {
        if (!worker.IsRunning && !_loop.IsDraining)
        {
            Start(worker, now);
        }
        else if (worker.IsRunning && _loop.IsAborting)
        {
            worker.Child.SignalGroup(LibcProcesses.SignalKill);
        }
    }

    private sealed class Worker(int slot, DoorSocket[] sockets, WorkerPool pool) : Timed
    {
        public ChildProcess Child;

        /// <summary>
        /// What the kernel drops is counted here, and not in the worker: it is dropped while no worker serves the socket too.
        /// </summary>
        private readonly OverflowCount[] _dropped =
            [.. sockets.Select(socket => OverflowCount.Of(socket, pool._context.Ledger, pool._context.Log)).OfType<OverflowCount>()];

        public int Slot => slot;

        public DoorSocket[] Sockets => sockets;

        public bool IsRunning { get; set; }

        public TimeSpan Began { get; set; }

        public Backoff Backoff { get; } = new();

        public void CountDropped(TimeSpan now) => Array.ForEach(_dropped, dropped => dropped.Ask(now));

        /// <summary>The last worker that had them has ended.</summary>
        public void CloseDatagrams()
        {
            CountDropped(MonotonicClock.Now);
            foreach (DoorSocket socket in sockets.Where(static socket => !socket.IsListener))
            {
                socket.Release();
            }
        }

        public override void OnTimer(TimeSpan now) => pool.OnTimer(this, now);
    }
}
