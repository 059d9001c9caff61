using System.Collections.Concurrent;
using Doorbell.Lanes;
using Doorbell.Lanes.Loops;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes;

/// <summary>A connection that a process of its own serves.</summary>
internal class ProcessConnection(in AcceptedSocket accepted, ChildProcess child, int slot) : Timed, IOpenConnection
{
    private readonly TimeSpan _opened = MonotonicClock.Now;
    private long _id;

    /// <summary>A number that no other connection of this process has.</summary>
    public long Id => ConnectionId.Of(ref _id);

    /// <summary>Tells the lane that it has been asked to close; any thread may call it.</summary>
    public Action<ProcessConnection>? OnAsked { get; set; }

    /// <summary>How it has been asked to close; null while it has not.</summary>
    public CloseMode? Asked { get; private set; }

    int IOpenConnection.ListIndex { get; set; }

    public AcceptedSocket Accepted { get; } = accepted;

    public ChildProcess Child { get; } = child;

    /// <summary>Its index in the lane's table, and its events' token.</summary>
    public int Slot { get; } = slot;

    public ConnectionSnapshot Read(TimeSpan now) => new()
    {
        Id = Id,
        Door = Accepted.Door,
        Peer = Accepted.Peer,
        Age = now - _opened,
        State = ConnectionState.InProcess,
        ProcessId = Child.Id,
    };

    public void AskToClose(CloseMode how)
    {
        Asked = Asked == CloseMode.Abort ? CloseMode.Abort : how;
        OnAsked!(this);
    }
}

/// <summary>
/// A lane whose sessions are processes, one for each connection: a thread that accepts, starts them, and reaps them. What a process
/// is, its heirs say.
/// </summary>
internal abstract class ProcessLane : IDisposable
{
    private const int StopToken = -1;
    private const int WakeToken = -2;
    private const int ListenerToken = -3;
    private const int StopAcceptingToken = -4;

    private readonly LoopAcceptor _acceptor;
    private readonly EventDescriptor _wake = new();
    private readonly List<ProcessConnection?> _connections = [];
    private readonly Stack<int> _free = new();
    private readonly Backoff _backoff = new();
    private AcceptedSocket? _waiting;
    private readonly ConcurrentQueue<ProcessConnection> _asked = new();
    private TimeSpan _tryAgain;
    private bool _acceptsLast;

    protected ProcessLane(IReadOnlyList<DoorSocket> listeners, ServerContext context, ShutdownEvents shutdown)
    {
        Context = context;
        Stop = shutdown;
        _acceptor = new LoopAcceptor(listeners, new SharedListeners(listeners, 1), context, Epoll, ListenerToken, _wake, Open);
    }

    protected ServerContext Context { get; }

    protected ShutdownEvents Stop { get; }

    protected Epoll Epoll { get; } = new();

    protected TimerWheel Timers { get; } = new(MonotonicClock.Now);

    protected bool IsDraining { get; private set; }

    /// <summary>Events of one connection have tokens from this many times its slot on: 0 is its process's end.</summary>
    protected const int TokensPerConnection = 4;

    /// <summary>Accepts until the drain, then waits for the last process.</summary>
    public void Run()
    {
        Epoll.Watch(_wake.Descriptor, Epoll.In, WakeToken);
        Epoll.Watch(Stop.StopAccepting.Descriptor, Epoll.In, StopAcceptingToken);
        Epoll.Watch(Stop.Drain.Descriptor, Epoll.In, StopToken);
        _acceptor.BeginWaiting();
        while (_acceptor.IsAccepting || _waiting is not null || _connections.Count > _free.Count)
        {
            int count = Epoll.Wait(Timeout());
            TimeSpan now = MonotonicClock.Now;
            for (int i = 0; i < count; i++)
            {
                (uint events, int token) = Epoll[i];
                OnEvents(events, token, now);
            }

            while (Timers.TakeDue(now) is ProcessConnection due)
            {
                OnTimer(due, now);
            }

            if (TryWaiting(now))
            {
                _acceptor.AcceptSome(now, _acceptsLast);
            }
        }

        _acceptor.ThrowIfFailed();
    }

    public void Dispose()
    {
        _acceptor.Close();
        Epoll.Dispose();
        _wake.Dispose();
        DisposeOwn();
    }

    /// <summary>Starts the process of a connection; 0, or errno. It owns the descriptor from then on.</summary>
    protected abstract int TryStart(in AcceptedSocket accepted, int slot, out ProcessConnection? connection);

    /// <summary>The process has ended.</summary>
    protected abstract void ProcessEnded(ProcessConnection connection, ChildProcess.Status status, TimeSpan now);

    /// <summary>Another event of a slot, which may have no connection; <paramref name="kind"/> is 1 to 3.</summary>
    protected virtual void OnEvents(ProcessConnection? connection, int slot, int kind, uint events, TimeSpan now)
    {
    }

    /// <summary>The connection's timer is due.</summary>
    protected abstract void OnTimer(ProcessConnection connection, TimeSpan now);

    /// <summary>The server drains, and then aborts.</summary>
    protected abstract void OnShutdown(ProcessConnection connection, TimeSpan now);

    /// <summary>The server closes this connection (<see cref="ProcessConnection.Asked"/>).</summary>
    protected abstract void CloseAsked(ProcessConnection connection, TimeSpan now);

    protected abstract void DisposeOwn();

    /// <summary>Any thread: the connection has been asked to close.</summary>
    private void OnAsked(ProcessConnection connection)
    {
        _asked.Enqueue(connection);
        _wake.Raise();
    }

    /// <summary>Nothing of the connection is left: another may have its slot.</summary>
    protected void Release(ProcessConnection connection)
    {
        Context.Connections.Remove(connection);
        Timers.Remove(connection);
        _connections[connection.Slot] = null;
        _free.Push(connection.Slot);
        Context.Admission.Release(connection.Accepted.Peer);
    }

    private void CloseAsked(TimeSpan now)
    {
        while (_asked.TryDequeue(out ProcessConnection? connection))
        {
            if (_connections[connection.Slot] == connection)
            {
                CloseAsked(connection, now);
            }
        }
    }

    private int Timeout()
    {
        TimeSpan now = MonotonicClock.Now;
        int timers = Timers.MillisecondsToNext(now);
        int accept = _waiting is null
            ? _acceptor.MillisecondsToNext(now)
            : (int)Math.Clamp(Math.Ceiling((_tryAgain - now).TotalMilliseconds), 0, int.MaxValue);
        return timers < 0 || accept < 0 ? Math.Max(timers, accept) : Math.Min(timers, accept);
    }

    private void OnEvents(uint events, int token, TimeSpan now)
    {
        switch (token)
        {
            case StopToken:
                OnShutdown(now);
                break;
            case WakeToken:
                _wake.Clear();
                CloseAsked(now);
                break;
            case StopAcceptingToken:
                Epoll.Forget(Stop.StopAccepting.Descriptor);
                _acceptsLast = true;
                _acceptor.OnReadable();
                break;
            case ListenerToken:
                _acceptor.OnReadable();
                break;
            default:
                OnEvents(token / TokensPerConnection, token % TokensPerConnection, events, now);
                break;
        }
    }

    private void OnEvents(int slot, int kind, uint events, TimeSpan now)
    {
        ProcessConnection? connection = slot < _connections.Count ? _connections[slot] : null;
        if (kind != 0)
        {
            OnEvents(connection, slot, kind, events, now);
        }
        else if (connection?.Child.Reap() is { } status)
        {
            // Closing it takes it out of the epoll set: nobody else has it.
            connection.Child.CloseDescriptor();
            ProcessEnded(connection, status, now);
        }
    }

    private void OnShutdown(TimeSpan now)
    {
        if (!IsDraining)
        {
            IsDraining = _acceptsLast = true;
            _acceptor.OnReadable();
        }

        Epoll.Forget(Stop.Drain.Descriptor);
        if (Stop.IsAborting)
        {
            Epoll.Forget(Stop.Abort.Descriptor);
        }
        else
        {
            Epoll.Watch(Stop.Abort.Descriptor, Epoll.In, StopToken);
        }

        foreach (ProcessConnection connection in _connections.OfType<ProcessConnection>().ToArray())
        {
            OnShutdown(connection, now);
        }
    }

    /// <summary>A process that can't be made is tried again: meanwhile its connection waits here, and the others in the backlog.</summary>
    private bool Open(AcceptedSocket accepted, TimeSpan now)
    {
        int slot = _free.TryPop(out int free) ? free : _connections.Count;
        int errno = TryStart(accepted, slot, out ProcessConnection? connection);
        if (errno == 0)
        {
            if (slot == _connections.Count)
            {
                _connections.Add(connection);
            }

            _connections[slot] = connection;
            Epoll.Watch(connection!.Child.Descriptor, Epoll.In, slot * TokensPerConnection);
            _backoff.Reset();
            connection.OnAsked = OnAsked;
            Context.Connections.Add(connection);
            if (IsDraining)
            {
                OnShutdown(connection, now);
            }

            return true;
        }

        if (slot < _connections.Count)
        {
            _free.Push(slot);
        }

        Context.Ledger.ProcessLost();
        if (_backoff.MayLog())
        {
            string failure = NetworkException.FromErrno("posix_spawn", $"a process for {accepted.Peer}", errno).Message;
            ServerLog.ProcessFailed(Context.Log, failure);
        }

        _waiting = accepted;
        _tryAgain = now + _backoff.Next();
        return false;
    }

    /// <summary>False while a connection waits for its process.</summary>
    private bool TryWaiting(TimeSpan now)
    {
        if (_waiting is not { } accepted)
        {
            return true;
        }

        if (Stop.IsAborting)
        {
            _waiting = null;
            _ = Libc.close(accepted.Descriptor);
            Context.Admission.Release(accepted.Peer);
            return true;
        }

        if (_tryAgain > now)
        {
            return false;
        }

        _waiting = null;
        return Open(accepted, now);
    }
}
