namespace Doorbell;

/// <content>How the loop accepts, between serving those it has.</content>
internal sealed partial class LoopLane
{
    /// <summary>So many connections at once, then those that are open are served before the next.</summary>
    private const int AcceptsPerTurn = 64;

    /// <summary>A listener has had news since it was last found empty (edge-triggered: it says so once).</summary>
    private bool _hasBacklog;
    private bool _accepting = true;
    private TimeSpan _acceptAgain;
    private int _roomAgain;

    private void WatchListeners()
    {
        for (int i = 0; i < _listeners.Count; i++)
        {
            // Other loops may share it: wake one of them.
            _epoll.Watch(_listeners[i].Descriptor, Epoll.In | Epoll.Exclusive | Epoll.Edge, FirstListenerToken - i);
        }
    }

    private int MillisecondsToAccept(TimeSpan now) => !_hasBacklog || !_accepting
        ? -1
        : (int)Math.Clamp(Math.Ceiling((_acceptAgain - now).TotalMilliseconds), 0, int.MaxValue);

    private void AcceptSome(TimeSpan now)
    {
        if (_draining && _accepting && (_serving.Stop.BacklogStays || _stop.IsAborting))
        {
            CloseListeners();
        }

        if (!_hasBacklog || !_accepting || _acceptAgain > now)
        {
            return;
        }

        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            bool place = _serving.Admission.TryEnter(LookForRoom);
            if (!place && !_serving.Admission.RefusesAtLimit)
            {
                _hasBacklog = false;
                return;
            }

            if (!_acceptor.TryAccept(out Accepted accepted, out TimeSpan pause))
            {
                GiveBackIf(place);
                NothingToAccept(pause, now);
                return;
            }

            if (place && _serving.Admission.Admits(accepted.Peer))
            {
                Open(accepted, now);
            }
            else
            {
                GiveBackIf(place);
                _acceptor.Refuse(accepted);
            }
        }
    }

    private void NothingToAccept(TimeSpan pause, TimeSpan now)
    {
        if (pause > TimeSpan.Zero)
        {
            _acceptAgain = now + pause;
            return;
        }

        _hasBacklog = false;
        if (_draining)
        {
            CloseListeners();
        }
    }

    private void Open(in Accepted accepted, TimeSpan now)
    {
        LoopConnection? connection = null;
        try
        {
            connection = new LoopConnection(accepted, _serving, this);
            _table.Add(connection);
            connection.Connection.Open(now);
            uint events = Epoll.In | Epoll.Out | Epoll.PeerHangUp | Epoll.Edge;
            _epoll.Watch(accepted.Descriptor, events, connection.Token);
        }
        catch (Exception fault)
        {
            // The making of the handler failed, or the system is out of memory for one more descriptor to watch.
            ServerLog.LaneFailed(_serving.Log, accepted.Door, PeerText.Escape(fault.Message));
            Drop(connection, accepted);
            return;
        }

        if (_draining)
        {
            connection.Connection.AskToDrain();
        }

        Advance(connection, now);
    }

    private void Drop(LoopConnection? connection, in Accepted accepted)
    {
        if (connection is null)
        {
            _ = Libc.close(accepted.Descriptor);
            _serving.Admission.Leave(accepted.Peer);
        }
        else
        {
            connection.Connection.Session.Fail(CloseReason.TransportFailed);
            Close(connection);
        }
    }

    /// <summary>Any thread: a connection has ended somewhere, so that there may be room for one that waits.</summary>
    private void LookForRoom()
    {
        Volatile.Write(ref _roomAgain, 1);
        _wake.Raise();
    }

    private void GiveBackIf(bool place)
    {
        if (place)
        {
            _serving.Admission.GiveBack();
        }
    }

    private void CloseListeners()
    {
        _accepting = false;
        foreach (BoundSocket listener in _listeners)
        {
            _epoll.Forget(listener.Descriptor);
        }

        _all.Leave();
    }
}
