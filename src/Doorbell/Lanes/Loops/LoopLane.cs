using System.Collections.Concurrent;
using System.Diagnostics;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// A lane that is a thread and carries many connections: it sleeps in one call for all of them, and nothing else it does waits. What all
/// of them have in common is here: the table, bells, deadlines, those that yielded, the drain, and the end. In which call it sleeps, and
/// how bytes move, is its backend's matter.
/// </summary>
internal sealed class LoopLane<TConnection> : IEventLoopUser, IDisposable
    where TConnection : SocketConnection
{
    private readonly Action<LoopConnection<TConnection>, TimeSpan> _due;
    private readonly Action<LoopConnection<TConnection>> _ring;
    private readonly ConcurrentQueue<LoopConnection<TConnection>> _rung = new();

    /// <summary>Those whose bell was rung by the lane's own thread, which needs no wake.</summary>
    private Queue<LoopConnection<TConnection>> _rungHere = new();
    private Queue<LoopConnection<TConnection>> _dispatching = new();
    private readonly IdleMemory _idleMemory;
    private int _thread;
    private Queue<LoopConnection<TConnection>> _yielded = new();
    private Queue<LoopConnection<TConnection>> _next = new();

    /// <param name="listeners">All lanes accept from them.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="shutdown">When to stop.</param>
    /// <param name="newBackend">Makes the lane's backend, which may use all else of the lane.</param>
    /// <exception cref="NetworkException">The system refuses what the lane needs.</exception>
    public LoopLane(
        SharedSockets listeners,
        ServerContext context,
        ShutdownEvents shutdown,
        Func<LoopLane<TConnection>, LaneBackend<TConnection>> newBackend)
    {
        Context = context with { Ledger = context.Ledger.PartOfOneThread(), Connections = context.Connections.PartOfLane() };
        _due = (connection, now) => Dispatch(connection, News.Time, now);
        _ring = OnRung;
        Pool = new LanePool(context.Pool.Budget);
        _idleMemory = new IdleMemory(this);
        Loop = new EventLoop(shutdown);
        Acceptor = new LoopAcceptor(listeners, Context, Loop, Open);
        Connector = new LoopConnector(Context, Loop, Open);
        try
        {
            Backend = newBackend(this);
        }
        catch
        {
            Connector.Dispose();
            Acceptor.Close();
            Loop.Dispose();
            throw;
        }
    }

    public ServerContext Context { get; }

    public EventLoop Loop { get; }

    public LoopAcceptor Acceptor { get; }

    public LoopConnector Connector { get; }

    public LaneBackend<TConnection> Backend { get; }

    public LoopTable<TConnection> Table { get; } = new();

    /// <summary>Where its sessions' memory comes from.</summary>
    public LanePool Pool { get; }

    /// <summary>
    /// Called first in each round, on the lane's thread, by whoever has more to do there; null for nobody. It returns when the next round
    /// is to be at the latest.
    /// </summary>
    public Func<TimeSpan, TimeSpan>? EachRound { get; init; }

    /// <summary>
    /// Serves until the drain is over. A lane that can't go on resets its connections, and counts them, before it says why.
    /// </summary>
    public void Run()
    {
        try
        {
            Backend.BeginAccepting();
            _thread = Environment.CurrentManagedThreadId;
            Loop.Run(this, Backend.Wait);
        }
        catch
        {
            ResetAll();
            throw;
        }
        finally
        {
            RequireAllReturned();
        }

        Acceptor.ThrowIfFailed();
    }

    public void Dispose()
    {
        Connector.Dispose();
        Backend.Dispose();
        Acceptor.Close();
        Loop.Dispose();
    }

    public TimeSpan OnRound(TimeSpan now)
    {
        TimeSpan next = EachRound?.Invoke(now) ?? TimeSpan.MaxValue;
        if (Loop.WasWoken)
        {
            Connector.OnWake(now);
            DispatchRings(now);
        }

        DispatchRungHere(now);
        ResumeYielded(now);
        Backend.AcceptSome(now);
        _idleMemory.WatchFrom(now);
        if (!Acceptor.IsAccepting && Table.Count == 0 && Connector.Count == 0)
        {
            Loop.Stop();
        }

        return _yielded.Count > 0 || _rungHere.Count > 0 ? TimeSpan.Zero : next < Acceptor.NextAccept ? next : Acceptor.NextAccept;
    }

    public void OnShutdown(TimeSpan now)
    {
        Acceptor.OnReadable();
        if (!Loop.IsDraining)
        {
            return;
        }

        News news = Loop.IsAborting ? News.Abort : News.Drain;
        foreach (LoopConnection<TConnection> connection in Table.ToArray())
        {
            Dispatch(connection, news, now);
        }

        if (Loop.IsAborting)
        {
            Connector.Abort();
        }
    }

    /// <summary>Tells it and lets it go on. Whatever goes wrong costs that connection, never the lane and its others.</summary>
    public void Dispatch(LoopConnection<TConnection> connection, News news, TimeSpan now)
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
                    connection.Connection.CloseIfAsked(now);
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
    public void Drop(LoopConnection<TConnection> connection, Exception fault)
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

    /// <summary>Any thread: the connection's bell was rung.</summary>
    private void OnRung(LoopConnection<TConnection> connection)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            _rungHere.Enqueue(connection);
            return;
        }

        _rung.Enqueue(connection);
        Loop.Wake();
    }

    private void DispatchRings(TimeSpan now)
    {
        // A handler may ring its own bell each time: what is rung from here on has raised the wake again, and comes next time round.
        for (int rung = _rung.Count; rung > 0 && _rung.TryDequeue(out LoopConnection<TConnection>? connection); rung--)
        {
            DispatchRing(connection, now);
        }
    }

    /// <summary>What these ring in their turn comes with the next round: a handler may ring its own bell each time.</summary>
    private void DispatchRungHere(TimeSpan now)
    {
        (_rungHere, _dispatching) = (_dispatching, _rungHere);
        while (_dispatching.TryDequeue(out LoopConnection<TConnection>? connection))
        {
            DispatchRing(connection, now);
        }
    }

    private void DispatchRing(LoopConnection<TConnection> connection, TimeSpan now)
    {
        if (connection.Over)
        {
            return;
        }

        int what = connection.TakeRing();
        if ((what & LoopConnection<TConnection>.Woken) != 0)
        {
            Dispatch(connection, News.Asked, now);
        }

        if ((what & LoopConnection<TConnection>.Rung) != 0 && !connection.Over)
        {
            Dispatch(connection, News.Ring, now);
        }
    }

    /// <summary>Those whose share of the last round was used up have another.</summary>
    private void ResumeYielded(TimeSpan now)
    {
        (_yielded, _next) = (_next, _yielded);
        while (_next.TryDequeue(out LoopConnection<TConnection>? connection))
        {
            connection.Queued = false;
            if (!connection.Over)
            {
                Dispatch(connection, News.Yield, now);
            }
        }
    }

    private void Advance(LoopConnection<TConnection> connection, TimeSpan now)
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

        Loop.Timers.Ensure(connection, connection.Connection.Session.Deadline);
    }

    private Progress AdvanceAndConnect(TConnection connection, TimeSpan now)
    {
        Progress progress = Backend.Advance(connection, now);
        while (progress == Progress.Connecting)
        {
            while (connection.Session.TryTakeConnect(out ConnectRequest? request))
            {
                Connector.Connect(request, now);
            }

            progress = Backend.Advance(connection, now);
        }

        return progress;
    }

    private void Open(ConnectedSocket connected, TimeSpan now)
    {
        LoopConnection<TConnection> connection = new(_due, _ring);
        connection.Connection = Backend.Make(connected, connection.NewBell());
        Table.Add(connection);
        try
        {
            connection.Connection.Open(now);
            Backend.Watch(connection);
        }
        catch (Exception fault)
        {
            // The system is out of memory for one more descriptor to watch.
            Drop(connection, fault);
            return;
        }

        Dispatch(connection, Loop.IsDraining ? News.Drain : News.Socket, now);
    }

    private bool Open(AcceptedSocket accepted, TimeSpan now)
    {
        LoopConnection<TConnection>? connection = null;
        try
        {
            LoopConnection<TConnection> opened = new(_due, _ring);
            opened.Connection = Backend.Make(accepted, opened.NewBell());
            connection = opened;
            Table.Add(connection);
            connection.Connection.Open(now);
            Backend.Watch(connection);
        }
        catch (Exception fault)
        {
            // The making of the handler failed, or the system is out of memory for one more descriptor to watch.
            if (connection is null)
            {
                ServerLog.LaneFailed(Context.Log, accepted.Door, ServerLog.TextOf(fault), fault);
                _ = Libc.close(accepted.Descriptor);
                Context.Admission.Release(accepted.At, accepted.Peer);
            }
            else
            {
                Drop(connection, fault);
            }

            return true;
        }

        Dispatch(connection, Loop.IsDraining ? News.Drain : News.Socket, now);
        return true;
    }

    /// <summary>
    /// Of an answer that is cut off here the peer hears by a reset; a connection that only had to be closed yet ends in order.
    /// </summary>
    private void ResetAll()
    {
        Backend.EndAll();
        Connector.Dispose();
        foreach (LoopConnection<TConnection> connection in Table.ToArray())
        {
            StreamSession session = connection.Connection.Session;
            if ((session.Wants & (Want.Close | Want.Abort)) == 0)
            {
                session.Fail(CloseReason.TransportFailed);
            }

            try
            {
                Close(connection);
            }
            catch (Exception)
            {
                // Perhaps what the lane has failed of, such as a log that throws: the others are closed all the same.
            }
        }
    }

    /// <summary>What the lane lent to its sessions has come back with the last of them, however they ended.</summary>
    private void RequireAllReturned()
    {
        if (Pool.Out != 0 || Backend.BuffersOut != 0)
        {
            Debug.Fail("memory was not given back");
            ServerLog.NotReturned(Context.Log, Pool.Out, Backend.BuffersOut);
        }

        Pool.End();
    }

    private void Close(LoopConnection<TConnection> connection)
    {
        connection.Over = true;
        connection.IgnoreRings();
        Loop.Timers.Remove(connection);
        Table.Remove(connection);
        try
        {
            Backend.Close(connection.Connection);
        }
        finally
        {
            if (connection.Connection.At is { } door)
            {
                Context.Admission.Release(door, connection.Connection, connection.Connection.RoomOrder);
            }
        }
    }

    /// <summary>Memory that the lane keeps and nobody has needed for some seconds is left to the collector.</summary>
    private sealed class IdleMemory(LoopLane<TConnection> lane) : Timed
    {
        /// <summary>So little is not worth a wake.</summary>
        private const int FewBytes = 1024 * 1024;

        private static readonly TimeSpan _lookAgain = TimeSpan.FromSeconds(2);

        private bool _watches;

        public void WatchFrom(TimeSpan now)
        {
            if (!_watches && lane.Pool.KeptBytes > FewBytes)
            {
                _watches = true;
                lane.Loop.Timers.Ensure(this, now + _lookAgain);
            }
        }

        public override void OnTimer(TimeSpan now)
        {
            lane.Pool.DropIdle();
            _watches = false;
            WatchFrom(now);
        }
    }
}
