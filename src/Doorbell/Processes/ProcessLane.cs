using System.Collections.Concurrent;
using Doorbell.Lanes;
using Doorbell.Lanes.Loops;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes;

/// <summary>
/// A lane whose sessions are processes, one for each connection: a thread that accepts, starts them, and reaps them. What a process
/// is, its heirs say.
/// </summary>
internal abstract class ProcessLane : IEventLoopUser, IDisposable
{
    private readonly LoopAcceptor _acceptor;
    private readonly List<ProcessConnection?> _connections = [];
    private readonly Stack<int> _free = new();
    private readonly Backoff _backoff = new();
    private readonly ConcurrentQueue<ProcessConnection> _asked = new();
    private AcceptedSocket? _waiting;
    private TimeSpan _tryAgain;

    /// <summary>Why no process could be made, as it was told last; 0 since one could.</summary>
    private int _refusal;

    protected ProcessLane(IReadOnlyList<DoorSocket> listeners, ServerContext context, ShutdownEvents shutdown)
    {
        Context = context;
        Loop = new EventLoop(shutdown);
        _acceptor = new LoopAcceptor(new SharedSockets(listeners, lanes: 1), context, Loop, Open);
    }

    protected ServerContext Context { get; }

    protected EventLoop Loop { get; }

    protected TimerWheel Timers => Loop.Timers;

    /// <summary>Accepts until the drain, then waits for the last process.</summary>
    public void Run()
    {
        _acceptor.BeginWaiting();
        Loop.Run(this);
        _acceptor.ThrowIfFailed();
    }

    public void Dispose()
    {
        _acceptor.Close();
        DisposeOwn();
        Loop.Dispose();
    }

    public TimeSpan OnRound(TimeSpan now)
    {
        if (Loop.WasWoken)
        {
            CloseAsked(now);
        }

        if (TryWaiting(now))
        {
            _acceptor.AcceptSome(now);
        }

        if (!_acceptor.IsAccepting && _waiting is null && _connections.Count == _free.Count)
        {
            Loop.Stop();
        }

        return _waiting is null ? _acceptor.NextAccept : _tryAgain;
    }

    public void OnShutdown(TimeSpan now)
    {
        _acceptor.OnReadable();
        if (!Loop.IsDraining)
        {
            return;
        }

        foreach (ProcessConnection connection in _connections.OfType<ProcessConnection>().ToArray())
        {
            OnShutdown(connection, now);
        }
    }

    /// <summary>Any thread: the connection has been asked to close.</summary>
    protected void OnAsked(ProcessConnection connection)
    {
        _asked.Enqueue(connection);
        Loop.Wake();
    }

    /// <summary>The connection's timer is due.</summary>
    protected abstract void OnTimer(ProcessConnection connection, TimeSpan now);

    /// <summary>Starts the process of a connection; 0, or errno. It owns the descriptor from then on.</summary>
    protected abstract int TryStart(in AcceptedSocket accepted, int slot, out ProcessConnection? connection);

    /// <summary>The process has ended.</summary>
    protected abstract void ProcessEnded(ProcessConnection connection, ChildProcess.Status status, TimeSpan now);

    /// <summary>The server drains, and then aborts.</summary>
    protected abstract void OnShutdown(ProcessConnection connection, TimeSpan now);

    /// <summary>The server closes this connection (<see cref="ProcessConnection.Asked"/>).</summary>
    protected abstract void CloseAsked(ProcessConnection connection, TimeSpan now);

    protected abstract void DisposeOwn();

    /// <summary>Nothing of the connection is left: another may have its slot.</summary>
    protected void Release(ProcessConnection connection)
    {
        TaskCompletionSource? awaited = Context.Connections.Remove(connection);
        Timers.Remove(connection);
        _connections[connection.Slot] = null;
        _free.Push(connection.Slot);
        Context.Admission.Release(connection.Accepted.At, connection.Accepted.Peer);
        awaited?.SetResult();
    }

    /// <summary>The process is reaped, or is not waited for any more.</summary>
    protected void ForgetProcess(ProcessConnection connection)
    {
        Loop.Forget(connection.Child.Descriptor);
        connection.Child.CloseDescriptor();
    }

    /// <summary>The process is not waited for any more; it is reaped when it ends, if that is before the lane does.</summary>
    protected void LeaveProcess(ProcessConnection connection)
    {
        ChildProcess child = connection.Child;
        Loop.Forget(child.Descriptor);
        if (Loop.IsAborting || Loop.TryWatch(child.Descriptor, Epoll.In, (_, _) => ReapLeft(child)) != 0)
        {
            child.CloseDescriptor();
        }
    }

    private void ReapLeft(ChildProcess child)
    {
        if (child.Reap() is not null)
        {
            Loop.Forget(child.Descriptor);
            child.CloseDescriptor();
        }
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

    /// <summary>
    /// A process that the system has no room for is tried again: meanwhile its connection waits here, and the others in the backlog. A
    /// program that can't be executed will not be a moment later either: its connection is closed.
    /// </summary>
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
            Loop.Watch(connection!.Child.Descriptor, Epoll.In, (_, time) => Reap(connection, time));
            _backoff.Reset();
            _refusal = 0;
            Context.Connections.Add(connection);
            if (Loop.IsDraining)
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
        string failure = NetworkException.FromErrno("posix_spawn", $"a process for {accepted.Peer}", errno).Message;
        if (!Spawner.IsShortage(errno))
        {
            CloseUnserved(accepted, errno, failure);
            return true;
        }

        if (_backoff.MayLog())
        {
            ServerLog.ProcessFailed(Context.Log, failure);
        }

        _waiting = accepted;
        _tryAgain = now + _backoff.Next();
        return false;
    }

    private void CloseUnserved(in AcceptedSocket accepted, int errno, string failure)
    {
        if (errno != _refusal)
        {
            ServerLog.NoProcess(Context.Log, accepted.Door, failure);
            _refusal = errno;
        }

        Context.Ledger.ConnectionOpened();
        Context.Ledger.ConnectionClosed(CloseReason.ProcessDied);
        Acceptor.Close(accepted.Descriptor, []);
        Context.Admission.Release(accepted.At, accepted.Peer);
    }

    private void Reap(ProcessConnection connection, TimeSpan now)
    {
        if (connection.Child.Reap() is { } status)
        {
            ForgetProcess(connection);
            ProcessEnded(connection, status, now);
        }
    }

    /// <summary>False while a connection waits for its process.</summary>
    private bool TryWaiting(TimeSpan now)
    {
        if (_waiting is not { } accepted)
        {
            return true;
        }

        if (Loop.IsAborting)
        {
            _waiting = null;
            Context.CountRefusal(accepted.At, accepted.Peer, AdmissionDecision.Full);
            _ = Libc.close(accepted.Descriptor);
            Context.Admission.Release(accepted.At, accepted.Peer);
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
