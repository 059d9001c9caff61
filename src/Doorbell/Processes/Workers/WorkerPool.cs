using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes.Workers;

/// <summary>
/// Long-lived processes that serve the same listeners, and datagram sockets of their own: one that dies is replaced, sooner if it
/// had lived for long.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private const int StopToken = -1;
    private const int StopAcceptingToken = -2;
    private static readonly TimeSpan _longLife = TimeSpan.FromSeconds(10);

    /// <summary>So long after the abort a process may take to end by itself.</summary>
    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<DoorSocket> _sockets;
    private readonly ServerContext _context;
    private readonly ShutdownEvents _shutdown;
    private readonly WorkerLauncher _launcher;
    private readonly Worker[] _workers;
    private readonly Epoll _epoll = new();
    private readonly TimerWheel _timers = new(MonotonicClock.Now);
    private readonly Backoff _log = new();
    private bool _acceptsLast;
    private bool _draining;
    private bool _aborting;

    public WorkerPool(int workers, IReadOnlyList<DoorSocket> sockets, ServerContext context, ShutdownEvents shutdown)
    {
        _sockets = sockets;
        _context = context;
        _shutdown = shutdown;
        _launcher = new WorkerLauncher(context, shutdown, workers);
        _workers = [.. Enumerable.Range(0, workers).Select(slot => new Worker(slot, SocketsOf(slot, workers)))];
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
        _epoll.Watch(_shutdown.StopAccepting.Descriptor, Epoll.In, StopAcceptingToken);
        _epoll.Watch(_shutdown.Drain.Descriptor, Epoll.In, StopToken);
        TimeSpan now = MonotonicClock.Now;
        foreach (Worker worker in _workers)
        {
            Start(worker, now);
        }

        while (_workers.Any(worker => worker.IsRunning || IsNeeded(worker)))
        {
            int count = _epoll.Wait(_timers.MillisecondsToNext(MonotonicClock.Now));
            now = MonotonicClock.Now;
            for (int i = 0; i < count; i++)
            {
                int token = _epoll[i].Token;
                if (token == StopToken)
                {
                    OnShutdown(now);
                }
                else if (token == StopAcceptingToken)
                {
                    OnStopAccepting();
                }
                else
                {
                    Reap(_workers[token], now);
                }
            }

            while (_timers.TakeDue(now) is Worker due)
            {
                OnTimer(due, now);
            }
        }
    }

    public void Dispose()
    {
        CloseSockets();
        _launcher.Dispose();
        _epoll.Dispose();
    }

    /// <summary>Whether there is anything for it to serve. Once no more is accepted, that is datagrams alone.</summary>
    private bool IsNeeded(Worker worker) => !_draining && worker.Sockets.Any(socket => !_acceptsLast || !socket.IsListener);

    /// <summary>All listeners, and of each door's datagram sockets the one for this worker.</summary>
    private DoorSocket[] SocketsOf(int slot, int workers)
    {
        IEnumerable<DoorSocket> listeners = _sockets.Where(static socket => socket.IsListener);
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

        (int, int)[] sockets = [.. worker.Sockets.Where(socket => !_acceptsLast || !socket.IsListener)
            .Select(static socket => (socket.Descriptor, socket.Door.Number))];
        int errno = _launcher.TryStart(worker.Slot, sockets, isConnection: false, out worker.Child);
        if (errno == 0)
        {
            worker.IsRunning = true;
            worker.Began = now;
            _epoll.Watch(worker.Child.Descriptor, Epoll.In, worker.Slot);
            return;
        }

        _context.Ledger.ProcessLost();
        if (_log.MayLog())
        {
            ServerLog.ProcessFailed(_context.Log, NetworkException.FromErrno("posix_spawn", "a worker process", errno).Message);
        }

        _timers.Ensure(worker, now + worker.Backoff.Next());
    }

    private void Reap(Worker worker, TimeSpan now)
    {
        if (!worker.IsRunning || worker.Child.Reap() is not { } status)
        {
            return;
        }

        worker.IsRunning = false;
        _timers.Remove(worker);
        _epoll.Forget(worker.Child.Descriptor);
        worker.Child.CloseDescriptor();
        _launcher.ForgetPeerOf(worker.Slot);
        _launcher.LedgerOf(worker.Slot).Abandon(_aborting ? CloseReason.DrainDeadline : CloseReason.ProcessDied);
        if (!IsNeeded(worker))
        {
            return;
        }

        if (!status.IsInOrder)
        {
            _context.Ledger.ProcessLost();
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

        _timers.Ensure(worker, now + wait);
    }

    private void OnTimer(Worker worker, TimeSpan now)
    {
        if (!worker.IsRunning && !_draining)
        {
            Start(worker, now);
        }
        else if (worker.IsRunning && _aborting)
        {
            worker.Child.SignalGroup(LibcProcesses.SignalKill);
        }
    }

    /// <summary>The workers have heard it too: they accept what is in the backlog, and the listeners close with the last of them.</summary>
    private void OnStopAccepting()
    {
        _epoll.Forget(_shutdown.StopAccepting.Descriptor);
        _acceptsLast = true;
        foreach (DoorSocket listener in _sockets.Where(static socket => socket.IsListener))
        {
            listener.Release();
        }
    }

    private void OnShutdown(TimeSpan now)
    {
        if (!_draining)
        {
            _draining = true;
            _launcher.Drain();
            CloseSockets();
        }

        _epoll.Forget(_shutdown.Drain.Descriptor);
        _aborting = _shutdown.IsAborting;
        if (!_aborting)
        {
            _epoll.Watch(_shutdown.Abort.Descriptor, Epoll.In, StopToken);
            return;
        }

        _epoll.Forget(_shutdown.Abort.Descriptor);
        foreach (Worker worker in _workers)
        {
            _timers.Ensure(worker, now + _killAfter);
        }
    }

    private void CloseSockets()
    {
        foreach (DoorSocket socket in _sockets)
        {
            socket.Release();
        }
    }

    private sealed class Worker(int slot, DoorSocket[] sockets) : Timed
    {
        public ChildProcess Child;

        public int Slot => slot;

        public DoorSocket[] Sockets => sockets;

        public bool IsRunning { get; set; }

        public TimeSpan Began { get; set; }

        public Backoff Backoff { get; } = new();
    }
}
