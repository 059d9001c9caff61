using System.Collections.Concurrent;

namespace Doorbell;

/// <summary>
/// A lane that is a thread and carries many connections: it sleeps in epoll_wait(2) for all of them, and nothing else it does waits.
/// Events are edge-triggered, so that a connection is registered once and never changed.
/// </summary>
internal sealed class LoopLane : IDisposable
{
    private const int WakeToken = -1;
    private const int StopToken = -2;
    private const int ListenerToken = -3;

    private readonly Serving _serving;
    private readonly StopEvents _stop;
    private readonly LoopAcceptor _acceptor;
    private readonly Epoll _epoll = new();
    private readonly EventDescriptor _wake = new();
    private readonly TimerWheel _timers = new(MonotonicClock.Now);
    private readonly LoopTable _table = new();
    private readonly ConcurrentQueue<LoopConnection> _rung = new();
    private readonly byte[] _buffer = ReceiveBuffers.Take();
    private Queue<LoopConnection> _goingOn = new();
    private Queue<LoopConnection> _served = new();
    private readonly Func<Accepted, TimeSpan, bool> _open;
    private bool _draining;

    /// <summary>What a connection is told.</summary>
    private enum News
    {
        OfTheSocket,
        Ring,
        Turn,
        Time,
        Drain,
        Abort,
    }

    /// <param name="listeners">Those of <paramref name="all"/> that this loop accepts from.</param>
    /// <param name="all">The listeners of all loops.</param>
    /// <param name="serving">What to serve.</param>
    /// <param name="stop">When to stop.</param>
    public LoopLane(IReadOnlyList<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop)
    {
        _serving = serving with { Ledger = serving.Ledger.PartOfOneThread() };
        _stop = stop;
        _open = Open;
        _acceptor = new LoopAcceptor(listeners, all, _serving, _epoll, ListenerToken, _wake);
    }

    /// <summary>Any thread: the connection's bell was rung.</summary>
    public void Rung(LoopConnection connection)
    {
        _rung.Enqueue(connection);
        _wake.Raise();
    }

    /// <summary>Serves until the drain is over.</summary>
    public void Run()
    {
        _epoll.Watch(_wake.Descriptor, Epoll.In, WakeToken);
        _epoll.Watch(_stop.Drain.Descriptor, Epoll.In, StopToken);
        while (_acceptor.IsAccepting || _table.Count > 0)
        {
            int count = _epoll.Wait(Timeout());
            TimeSpan now = MonotonicClock.Now;
            for (int i = 0; i < count; i++)
            {
                (uint events, int token) = _epoll[i];
                Heed(events, token, now);
            }

            TickDue(now);
            GoOn(now);
            _acceptor.AcceptSome(now, _draining, _open);
        }

        _acceptor.ThrowIfFailed();
    }

    public void Dispose()
    {
        ReceiveBuffers.GiveBack(_buffer);
        _acceptor.Close();
        _epoll.Dispose();
        _wake.Dispose();
    }

    private int Timeout()
    {
        if (_goingOn.Count > 0)
        {
            return 0;
        }

        TimeSpan now = MonotonicClock.Now;
        int timers = _timers.MillisecondsToNext(now);
        int accept = _acceptor.MillisecondsToNext(now);
        return timers < 0 || accept < 0 ? Math.Max(timers, accept) : Math.Min(timers, accept);
    }

    private void Heed(uint events, int token, TimeSpan now)
    {
        if (token >= 0)
        {
            if (_table[token] is { } open)
            {
                bool ended = (events & (Epoll.PeerHangUp | Epoll.HangUp | Epoll.Error)) != 0;
                open.Connection.ReceivesToEnd |= ended || (events & Epoll.Urgent) != 0;
                open.Connection.Readable |= ended || (events & (Epoll.In | Epoll.Urgent)) != 0;
                open.Connection.Writable |= ended || (events & Epoll.Out) != 0;
                Tell(open, News.OfTheSocket, now);
            }
        }
        else if (token == WakeToken)
        {
            HearWake(now);
        }
        else if (token == StopToken)
        {
            HearStop(now);
        }
        else
        {
            _acceptor.Heard();
        }
    }

    private void HearWake(TimeSpan now)
    {
        _wake.Clear();

        // A handler may ring its own bell each time: what is rung from here on has raised the wake again, and comes next time round.
        for (int rung = _rung.Count; rung > 0 && _rung.TryDequeue(out LoopConnection? connection); rung--)
        {
            if (!connection.Over)
            {
                connection.HearRing();
                Tell(connection, News.Ring, now);
            }
        }
    }

    private void HearStop(TimeSpan now)
    {
        bool aborting = _stop.IsAborting;
        _epoll.Forget(_stop.Drain.Descriptor);
        if (aborting)
        {
            _epoll.Forget(_stop.Abort.Descriptor);
        }
        else
        {
            _epoll.Watch(_stop.Abort.Descriptor, Epoll.In, StopToken);
        }

        if (!_draining)
        {
            _draining = true;
            _acceptor.Heard();
        }

        foreach (LoopConnection connection in _table.ToArray())
        {
            Tell(connection, aborting ? News.Abort : News.Drain, now);
        }
    }

    private void TickDue(TimeSpan now)
    {
        while (_timers.TakeDue(now) is LoopConnection due)
        {
            Tell(due, News.Time, now);
        }
    }

    /// <summary>Those whose share of the last turn was used up have another.</summary>
    private void GoOn(TimeSpan now)
    {
        (_goingOn, _served) = (_served, _goingOn);
        while (_served.TryDequeue(out LoopConnection? connection))
        {
            connection.Queued = false;
            if (!connection.Over)
            {
                Tell(connection, News.Turn, now);
            }
        }
    }

    /// <summary>Tells it and lets it go on. Whatever goes wrong costs that connection, never the lane and its others.</summary>
    private void Tell(LoopConnection connection, News news, TimeSpan now)
    {
        try
        {
            StreamSession session = connection.Connection.Session;
            switch (news)
            {
                case News.Ring:
                    session.Ring(now);
                    break;
                case News.Turn when (session.Wants & Want.Turn) != 0:
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

    private void Advance(LoopConnection connection, TimeSpan now)
    {
        switch (connection.Connection.Advance(_buffer, now))
        {
            case Progress.Over:
                Close(connection);
                return;
            case Progress.Busy when !connection.Queued:
                connection.Queued = true;
                _goingOn.Enqueue(connection);
                break;
        }

        _timers.Ensure(connection, connection.Connection.Session.Deadline);
    }

    private bool Open(Accepted accepted, TimeSpan now)
    {
        LoopConnection? connection = null;
        try
        {
            connection = new LoopConnection(accepted, _serving, this);
            _table.Add(connection);
            connection.Connection.ReceivesToEnd = accepted.Door.IsUnix;
            connection.Connection.Open(now);
            uint events = Epoll.In | Epoll.Urgent | Epoll.Out | Epoll.PeerHangUp | Epoll.Edge;
            _epoll.Watch(accepted.Descriptor, events, connection.Token);
        }
        catch (Exception fault)
        {
            // The making of the handler failed, or the system is out of memory for one more descriptor to watch.
            if (connection is null)
            {
                ServerLog.LaneFailed(_serving.Log, accepted.Door, ServerLog.TextOf(fault));
                _ = Libc.close(accepted.Descriptor);
                _serving.Admission.Leave(accepted.Peer);
            }
            else
            {
                Drop(connection, fault);
            }

            return true;
        }

        Tell(connection, _draining ? News.Drain : News.OfTheSocket, now);
        return true;
    }

    private void Drop(LoopConnection connection, Exception fault)
    {
        if (!connection.Over)
        {
            ServerLog.LaneFailed(_serving.Log, connection.Connection.Door, ServerLog.TextOf(fault));
            connection.Connection.Session.Fail(CloseReason.TransportFailed);
            Close(connection);
        }
    }

    private void Close(LoopConnection connection)
    {
        connection.Over = true;
        connection.IgnoreRings();
        _timers.Remove(connection);
        _table.Remove(connection);
        connection.Connection.Close();
        _serving.Admission.Leave(connection.Peer);
    }
}
