using System.Collections.Concurrent;
using System.Diagnostics;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// A lane that is a thread and carries many connections: it sleeps in one call for all of them, and nothing else it does waits. Which
/// call, and how bytes move, is its heirs' matter; what is not of a connection (the listeners, the bells, the server's end) they hear of
/// through one epoll set.
/// </summary>
internal abstract partial class LoopLane : IDisposable
{
    private const int WakeToken = -1;
    private const int StopToken = -2;
    private const int ListenerToken = -3;
    private const int StopAcceptingToken = -4;

    private readonly ShutdownEvents _shutdown;
    private readonly EventDescriptor _wake = new();
    private readonly TimerWheel _timers = new(MonotonicClock.Now);
    private readonly ConcurrentQueue<LoopConnection> _rung = new();

    /// <summary>Those whose bell was rung by the lane's own thread, which needs no wake.</summary>
    private Queue<LoopConnection> _rungHere = new();
    private Queue<LoopConnection> _dispatching = new();
    private int _thread;
    private Queue<LoopConnection> _yielded = new();
    private Queue<LoopConnection> _next = new();

    /// <param name="listeners">Those of <paramref name="all"/> that this loop accepts from.</param>
    /// <param name="all">The listeners of all loops.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="shutdown">When to stop.</param>
    protected LoopLane(IReadOnlyList<DoorSocket> listeners, SharedListeners all, ServerContext context, ShutdownEvents shutdown)
    {
        Context = context with { Ledger = context.Ledger.PartOfOneThread(), Connections = context.Connections.PartOfLane() };
        _shutdown = shutdown;
        Acceptor = new LoopAcceptor(listeners, all, Context, Epoll, ListenerToken, _wake, Open);
        Connector = new LoopConnector(Context, Epoll, _timers, _wake, Open);
    }

    /// <summary>What a connection is told.</summary>
    private protected enum News
    {
        Socket,
        Ring,
        Asked,
        Yield,
        Time,
        Drain,
        Abort,
    }

    protected ServerContext Context { get; }

    protected LoopAcceptor Acceptor { get; }

    protected LoopConnector Connector { get; }

    protected Epoll Epoll { get; } = new();

    protected LoopTable Table { get; } = new();

    /// <summary>Where its sessions' memory comes from.</summary>
    internal LanePool Pool { get; } = new();

    /// <summary>How many of its receive buffers somebody has not given back.</summary>
    public virtual int BuffersOut => 0;

    protected bool IsDraining { get; private set; }

    /// <summary>The server accepts no more than what waits in the backlog.</summary>
    protected bool AcceptsLast { get; private set; }

    /// <summary>Any thread: the connection's bell was rung.</summary>
    public void OnRung(LoopConnection connection)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            _rungHere.Enqueue(connection);
            return;
        }

        _rung.Enqueue(connection);
        _wake.Raise();
    }

    /// <summary>
    /// Serves until the drain is over. A lane that can't go on resets its connections, and counts them, before it says why.
    /// </summary>
    public void Run()
    {
        try
        {
            Serve();
        }
        catch
        {
            ResetAll();
            throw;
        }
        finally
        {
            Context.Options.LaneEnds?.Invoke(this);
        }

        Debug.Assert(Pool.Out == 0 && BuffersOut == 0, "memory was not given back");
        Acceptor.ThrowIfFailed();
    }

    /// <summary>The connection itself; the lane owns it from here on.</summary>
    public abstract SocketConnection Make(in AcceptedSocket accepted, LaneBell bell);

    /// <inheritdoc cref="Make(in AcceptedSocket, LaneBell)"/>
    public abstract SocketConnection Make(in ConnectedSocket connected, LaneBell bell);

    /// <summary>Does not throw: the lane may have failed.</summary>
    protected abstract void DisposeOwn();

    /// <summary>
    /// The lane has failed. From here on the kernel does nothing more for it, and uses no memory of its connections, which are closed next.
    /// Does not throw.
    /// </summary>
    protected abstract void EndAll();

    /// <summary>Sleeps at most so many milliseconds, -1 for ever, and tells of all that has happened.</summary>
    /// <returns>The time after it slept.</returns>
    protected abstract TimeSpan Wait(int milliseconds);

    protected abstract void BeginAccepting();

    protected abstract void AcceptSome(TimeSpan now);

    /// <summary>From here on hears of it. Readable and writable are taken for granted at first.</summary>
    protected abstract void Watch(LoopConnection connection);

    /// <summary>As <see cref="Watch"/>, of one whose descriptor is in the epoll set already, for <see cref="Epoll.Out"/>.</summary>
    protected abstract void WatchConnected(LoopConnection connection);

    /// <summary>Does all that can be done now, within bounds.</summary>
    protected abstract Progress Advance(SocketConnection connection, TimeSpan now);

    /// <summary>All connections have been asked to drain.</summary>
    protected abstract void DrainAsked();

    /// <summary>An event of the epoll set that is none of a connection's.</summary>
    protected void OnEvents(uint events, int token, TimeSpan now)
    {
        if (token == WakeToken)
        {
            OnWake(now);
        }
        else if (token == StopToken)
        {
            OnShutdown(now);
        }
        else if (token == StopAcceptingToken)
        {
            Epoll.Forget(_shutdown.StopAccepting.Descriptor);
            AcceptsLast = true;
            Acceptor.OnReadable();
        }
        else if (LoopConnector.IsToken(token))
        {
            Connector.OnEvents(events, token, now);
        }
        else
        {
            Acceptor.OnReadable();
        }
    }

    /// <summary>Tells it and lets it go on. Whatever goes wrong costs that connection, never the lane and its others.</summary>
    private protected void Dispatch(LoopConnection connection, News news, TimeSpan now)
    {
        try
        {
            StreamSession session = connection.Connection.Session;
            switch (news)
            {
                case News.Ring:
                    session.Ring(now);
                    break;
                case News.Asked:
                    connection.Connection.CloseIfAsked();
                    break;
                case News.Yield when (session.Wants & Want.Yield) != 0:
                    session.Continue(now);
                    break;
                case News.Time when session.Deadline <= now:
                    session.Tick(now);
                    break;
                case News.Drain:
                    connection.Connection.AskToDrain();
                    break;
                case News.Abort:
                    session.Fail(CloseReason.DrainDeadline);
                    break;
            }

            Advance(connection, now);
        }
        catch (Exception fault)
        {
            Drop(connection, fault);
        }
    }

    /// <summary>Something went wrong that is not the handler's: it costs that connection.</summary>
    protected void Drop(LoopConnection connection, Exception fault)
    {
        if (!connection.Over)
        {
            ServerLog.LaneFailed(Context.Log, connection.Connection.Door, ServerLog.TextOf(fault), fault);
            connection.Connection.Session.Fail(CloseReason.TransportFailed);
            if (AdvanceAndConnect(connection.Connection, MonotonicClock.Now) == Progress.Over)
            {
                Close(connection);
            }
        }
    }

    private void Serve()
    {
        Epoll.Watch(_wake.Descriptor, Epoll.In, WakeToken);
        Epoll.Watch(_shutdown.StopAccepting.Descriptor, Epoll.In, StopAcceptingToken);
        Epoll.Watch(_shutdown.Drain.Descriptor, Epoll.In, StopToken);

        // Now, not when the drain begins: a system that is out of memory then must not keep a server from ending.
        Epoll.Watch(_shutdown.Abort.Descriptor, Epoll.In, StopToken);
        BeginAccepting();
        _thread = Environment.CurrentManagedThreadId;
        while (Acceptor.IsAccepting || Table.Count > 0 || Connector.Count > 0)
        {
            TimeSpan now = Wait(Timeout());
            TickDue(now);
            DispatchRungHere(now);
            ResumeYielded(now);
            AcceptSome(now);
        }
    }

    private int Timeout()
    {
        if (_yielded.Count > 0 || _rungHere.Count > 0)
        {
            return 0;
        }

        TimeSpan now = MonotonicClock.Now;
        int timers = _timers.MillisecondsToNext(now);
        int accept = Acceptor.MillisecondsToNext(now);
        return timers < 0 || accept < 0 ? Math.Max(timers, accept) : Math.Min(timers, accept);
    }

    private void OnWake(TimeSpan now)
    {
        _wake.Clear();
        Connector.OnWake(now);

        // A handler may ring its own bell each time: what is rung from here on has raised the wake again, and comes next time round.
        for (int rung = _rung.Count; rung > 0 && _rung.TryDequeue(out LoopConnection? connection); rung--)
        {
            DispatchRung(connection, now);
        }
    }

    /// <summary>What these ring in their turn comes next time round: a handler may ring its own bell each time.</summary>
    private void DispatchRungHere(TimeSpan now)
    {
        (_rungHere, _dispatching) = (_dispatching, _rungHere);
        while (_dispatching.TryDequeue(out LoopConnection? connection))
        {
            DispatchRung(connection, now);
        }
    }

    private void DispatchRung(LoopConnection connection, TimeSpan now)
    {
        if (!connection.Over)
        {
            int what = connection.TakeRing();
            if ((what & LoopConnection.Woken) != 0)
            {
                Dispatch(connection, News.Asked, now);
            }

            if ((what & LoopConnection.Rung) != 0 && !connection.Over)
            {
                Dispatch(connection, News.Ring, now);
            }
        }
    }

    private void TickDue(TimeSpan now)
    {
        while (_timers.TakeDue(now) is { } due)
        {
            if (due is LoopConnection connection)
            {
                Dispatch(connection, News.Time, now);
            }
            else
            {
                Connector.OnTimer((LoopConnecting)due, now);
            }
        }
    }

    /// <summary>Those whose share of the last turn was used up have another.</summary>
    private void ResumeYielded(TimeSpan now)
    {
        (_yielded, _next) = (_next, _yielded);
        while (_next.TryDequeue(out LoopConnection? connection))
        {
            connection.Queued = false;
            if (!connection.Over)
            {
                Dispatch(connection, News.Yield, now);
            }
        }
    }

    private void Advance(LoopConnection connection, TimeSpan now)
    {
        switch (AdvanceAndConnect(connection.Connection, now))
        {
            case Progress.Over:
                Close(connection);
                return;
            case Progress.Busy when !connection.Queued:
                connection.Queued = true;
                _yielded.Enqueue(connection);
                break;
        }

        _timers.Ensure(connection, connection.Connection.Session.Deadline);
    }

    private Progress AdvanceAndConnect(SocketConnection connection, TimeSpan now)
    {
        Progress progress = Advance(connection, now);
        while (progress == Progress.Connecting)
        {
            while (connection.Session.TryTakeConnect(out ConnectRequest? request))
            {
                Connector.Connect(request, now);
            }

            progress = Advance(connection, now);
        }

        return progress;
    }

    private void Open(ConnectedSocket connected, bool isWatched, TimeSpan now)
    {
        LoopConnection connection = new(connected, this);
        Table.Add(connection);
        try
        {
            connection.Connection.Open(now);
            if (isWatched)
            {
                WatchConnected(connection);
            }
            else
            {
                Watch(connection);
            }
        }
        catch (Exception fault)
        {
            // The system is out of memory for one more descriptor to watch.
            Drop(connection, fault);
            return;
        }

        Dispatch(connection, IsDraining ? News.Drain : News.Socket, now);
    }

    private bool Open(AcceptedSocket accepted, TimeSpan now)
    {
        LoopConnection? connection = null;
        try
        {
            connection = new LoopConnection(accepted, this);
            Table.Add(connection);
            connection.Connection.Open(now);
            Watch(connection);
        }
        catch (Exception fault)
        {
            // The making of the handler failed, or the system is out of memory for one more descriptor to watch.
            if (connection is null)
            {
                ServerLog.LaneFailed(Context.Log, accepted.Door, ServerLog.TextOf(fault), fault);
                _ = Libc.close(accepted.Descriptor);
                Context.Admission.Release(accepted.Peer);
            }
            else
            {
                Drop(connection, fault);
            }

            return true;
        }

        Dispatch(connection, IsDraining ? News.Drain : News.Socket, now);
        return true;
    }
}
