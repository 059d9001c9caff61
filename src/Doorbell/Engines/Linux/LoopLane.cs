using System.Collections.Concurrent;

namespace Doorbell;

/// <summary>
/// A lane that is a thread and carries many connections: it sleeps in epoll_wait(2) for all of them, and nothing else it does waits.
/// Events are edge-triggered, so that a connection is registered once and never changed.
/// </summary>
internal sealed partial class LoopLane : IDisposable
{
    private const int WakeToken = -1;
    private const int StopToken = -2;

    /// <summary>Listeners' tokens begin below this one.</summary>
    private const int FirstListenerToken = -3;

    private readonly Serving _serving;
    private readonly StopEvents _stop;
    private readonly IReadOnlyList<BoundSocket> _listeners;
    private readonly Listeners _all;
    private readonly Acceptor _acceptor;
    private readonly Epoll _epoll = new();
    private readonly EventDescriptor _wake = new();
    private readonly TimerWheel _timers = new(MonotonicClock.Now);
    private readonly LoopTable _table = new();
    private readonly ConcurrentQueue<LoopConnection> _rung = new();
    private readonly byte[] _buffer = ReceiveBuffers.Take();
    private Queue<LoopConnection> _goingOn = new();
    private Queue<LoopConnection> _served = new();
    private bool _draining;

    /// <param name="listeners">Those of <paramref name="all"/> that this loop accepts from.</param>
    /// <param name="all">The listeners of all loops.</param>
    /// <param name="serving">What to serve.</param>
    /// <param name="stop">When to stop.</param>
    public LoopLane(IReadOnlyList<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop)
    {
        _all = all;
        _serving = serving;
        _stop = stop;
        _listeners = listeners;
        _acceptor = new Acceptor(listeners, serving);
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
        WatchListeners();
        while (_accepting || _table.Count > 0)
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
            AcceptSome(now);
        }
    }

    public void Dispose()
    {
        ReceiveBuffers.GiveBack(_buffer);
        if (_accepting)
        {
            _all.Leave();
        }

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
        int accept = MillisecondsToAccept(now);
        return timers < 0 || accept < 0 ? Math.Max(timers, accept) : Math.Min(timers, accept);
    }

    private void Heed(uint events, int token, TimeSpan now)
    {
        if (token >= 0)
        {
            if (_table[token] is { } open)
            {
                bool ended = (events & (Epoll.PeerHangUp | Epoll.HangUp | Epoll.Error)) != 0;
                open.Connection.PeerEnded |= ended;
                open.Connection.Readable |= ended || (events & Epoll.In) != 0;
                open.Connection.Writable |= ended || (events & Epoll.Out) != 0;
                Advance(open, now);
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
            _hasBacklog = true;
        }
    }

    private void HearWake(TimeSpan now)
    {
        _wake.Clear();
        _hasBacklog |= Interlocked.Exchange(ref _roomAgain, 0) != 0;
        while (_rung.TryDequeue(out LoopConnection? connection))
        {
            if (!connection.Over)
            {
                connection.Connection.Session.Ring(now);
                Advance(connection, now);
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
            _hasBacklog = true;
        }

        foreach (LoopConnection connection in _table.ToArray())
        {
            if (aborting)
            {
                connection.Connection.Session.Fail(CloseReason.DrainDeadline);
            }
            else
            {
                connection.Connection.AskToDrain();
            }

            Advance(connection, now);
        }
    }

    private void TickDue(TimeSpan now)
    {
        while (_timers.TakeDue(now) is LoopConnection due)
        {
            if (due.Connection.Session.Deadline <= now)
            {
                due.Connection.Session.Tick(now);
            }

            Advance(due, now);
        }
    }

    /// <summary>Those whose share of the last turn was used up have another.</summary>
    private void GoOn(TimeSpan now)
    {
        (_goingOn, _served) = (_served, _goingOn);
        while (_served.TryDequeue(out LoopConnection? connection))
        {
            connection.Queued = false;
            if (connection.Over)
            {
                continue;
            }

            if ((connection.Connection.Session.Wants & Want.Turn) != 0)
            {
                connection.Connection.Session.Continue(now);
            }

            Advance(connection, now);
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

    private void Close(LoopConnection connection)
    {
        connection.Over = true;
        _timers.Remove(connection);
        _table.Remove(connection);
        connection.Connection.Close();
        _serving.Admission.Leave(connection.Peer);
    }
}
