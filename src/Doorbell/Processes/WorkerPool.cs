namespace Doorbell;

/// <summary>
/// Long-lived processes that serve the same listeners, and datagram sockets of their own: one that dies is replaced, sooner if it
/// had lived for long.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private const int StopToken = -1;
    private static readonly TimeSpan _longLife = TimeSpan.FromSeconds(10);

    /// <summary>So long after the abort a process may take to end by itself.</summary>
    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<BoundSocket> _sockets;
    private readonly Serving _serving;
    private readonly StopEvents _stop;
    private readonly WorkerLauncher _launcher;
    private readonly Worker[] _workers;
    private readonly Epoll _epoll = new();
    private readonly TimerWheel _timers = new(MonotonicClock.Now);
    private readonly Backoff _log = new();
    private bool _draining;
    private bool _aborting;

    public WorkerPool(int workers, IReadOnlyList<BoundSocket> sockets, Serving serving, StopEvents stop)
    {
        _sockets = sockets;
        _serving = serving;
        _stop = stop;
        _launcher = new WorkerLauncher(serving, stop, workers);
        _workers = [.. Enumerable.Range(0, workers).Select(place => new Worker(place, SocketsOf(place, workers)))];
        foreach (Worker worker in _workers)
        {
            serving.Ledger.Include(_launcher.LedgerOf(worker.Place));
        }

        foreach (BoundSocket socket in sockets)
        {
            socket.Socket.Blocking = false;
        }
    }

    /// <summary>Keeps the workers running until the drain, then waits for the last.</summary>
    public void Run()
    {
        _epoll.Watch(_stop.Drain.Descriptor, Epoll.In, StopToken);
        TimeSpan now = MonotonicClock.Now;
        foreach (Worker worker in _workers)
        {
            Start(worker, now);
        }

        while (!_draining || _workers.Any(static worker => worker.IsRunning))
        {
            int count = _epoll.Wait(_timers.MillisecondsToNext(MonotonicClock.Now));
            now = MonotonicClock.Now;
            for (int i = 0; i < count; i++)
            {
                int token = _epoll[i].Token;
                if (token == StopToken)
                {
                    HearStop(now);
                }
                else
                {
                    Reap(_workers[token], now);
                }
            }

            while (_timers.TakeDue(now) is Worker due)
            {
                ItIsTime(due, now);
            }
        }
    }

    public void Dispose()
    {
        CloseSockets();
        _launcher.Dispose();
        _epoll.Dispose();
    }

    /// <summary>All listeners, and of each door's datagram sockets the one for this worker.</summary>
    private int[] SocketsOf(int place, int workers)
    {
        IEnumerable<BoundSocket> listeners = _sockets.Where(static socket => socket.IsListener);
        IEnumerable<BoundSocket> own = _sockets.Where(static socket => !socket.IsListener)
            .GroupBy(static socket => socket.Door)
            .SelectMany(door => door.Where((_, index) => index % workers == place));
        return [.. listeners.Concat(own).Select(static socket => socket.Descriptor)];
    }

    private void Start(Worker worker, TimeSpan now)
    {
        if (worker.Sockets.Length == 0)
        {
            return;
        }

        int errno = _launcher.TryStart(worker.Place, worker.Sockets, isConnection: false, out worker.Child);
        if (errno == 0)
        {
            worker.IsRunning = true;
            worker.Began = now;
            _epoll.Watch(worker.Child.Descriptor, Epoll.In, worker.Place);
            return;
        }

        _serving.Ledger.ProcessLost();
        if (_log.MayLog())
        {
            ServerLog.ProcessFailed(_serving.Log, NetworkException.FromErrno("posix_spawn", "a worker process", errno).Message);
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
        _launcher.ForgetPeerOf(worker.Place);
        _launcher.LedgerOf(worker.Place).Abandon(_aborting ? CloseReason.DrainDeadline : CloseReason.ProcessDied);
        if (_draining)
        {
            return;
        }

        if (!status.IsInOrder)
        {
            _serving.Ledger.ProcessLost();
        }

        if (now - worker.Began > _longLife)
        {
            worker.Backoff.Reset();
        }

        TimeSpan wait = worker.Backoff.Next();
        if (_log.MayLog())
        {
            ServerLog.WorkerEnded(_serving.Log, worker.Child.Id, status.ToString(), (int)wait.TotalMilliseconds);
        }

        _timers.Ensure(worker, now + wait);
    }

    private void ItIsTime(Worker worker, TimeSpan now)
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

    private void HearStop(TimeSpan now)
    {
        if (!_draining)
        {
            // The workers have heard it too: they accept what is in the backlog, and the listeners close with the last of them.
            _draining = true;
            _launcher.Drain();
            CloseSockets();
        }

        _epoll.Forget(_stop.Drain.Descriptor);
        _aborting = _stop.IsAborting;
        if (!_aborting)
        {
            _epoll.Watch(_stop.Abort.Descriptor, Epoll.In, StopToken);
            return;
        }

        _epoll.Forget(_stop.Abort.Descriptor);
        foreach (Worker worker in _workers)
        {
            _timers.Ensure(worker, now + _killAfter);
        }
    }

    private void CloseSockets()
    {
        foreach (BoundSocket socket in _sockets)
        {
            socket.Release();
        }
    }

    private sealed class Worker(int place, int[] sockets) : Timed
    {
        public ChildProcess Child;

        public int Place => place;

        public int[] Sockets => sockets;

        public bool IsRunning { get; set; }

        public TimeSpan Began { get; set; }

        public Backoff Backoff { get; } = new();
    }
}
