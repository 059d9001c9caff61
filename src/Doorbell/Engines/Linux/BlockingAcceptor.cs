namespace Doorbell;

/// <summary>
/// Accepts by blocking: for a lane that has nothing else to do meanwhile. What it does not take stays in the kernel's backlog, and
/// of several lanes that wait for a connection the kernel wakes one.
/// </summary>
internal sealed class BlockingAcceptor : IDisposable
{
    private const int StopToken = -1;

    private readonly Acceptor _acceptor;
    private readonly Serving _serving;
    private readonly StopEvents _stop;
    private readonly IReadOnlyList<BoundSocket> _listeners;
    private readonly Epoll _epoll = new();
    private bool _left;

    public BlockingAcceptor(IReadOnlyList<BoundSocket> listeners, Serving serving, StopEvents stop)
    {
        _acceptor = new Acceptor(listeners, serving);
        _serving = serving;
        _listeners = listeners;
        _stop = stop;
        _epoll.Watch(stop.Drain.Descriptor, Epoll.In, StopToken);
        for (int i = 0; i < listeners.Count; i++)
        {
            _epoll.Watch(listeners[i].Descriptor, Epoll.In | Epoll.Exclusive, i);
        }
    }

    /// <summary>
    /// Waits for the next connection, which has its place in the server's admission. False when the server drains and nothing is
    /// left in the backlog that it should take.
    /// </summary>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public bool Next(out Accepted accepted)
    {
        while (true)
        {
            bool draining = _stop.IsDraining;
            if (_stop.IsAborting)
            {
                accepted = default;
                return false;
            }

            if (draining && !_left)
            {
                Leave();
            }

            if (!TakePlace(draining, out bool place))
            {
                continue;
            }

            if (_acceptor.TryAccept(_left, out accepted, out TimeSpan pause))
            {
                if (Admit(accepted, place))
                {
                    return true;
                }

                continue;
            }

            if (place)
            {
                _serving.Admission.GiveBack();
            }

            if (pause > TimeSpan.Zero)
            {
                _stop.Pause(pause);
            }
            else if (draining)
            {
                return false;
            }
            else
            {
                _epoll.Wait(-1);
            }
        }
    }

    public void Dispose() => _epoll.Dispose();

    /// <summary>
    /// Stops waiting before the last accepts: of those that wait the kernel wakes one, and a connection that woke this lane would be
    /// noticed by no other, here or in the server that takes over.
    /// </summary>
    private void Leave()
    {
        _left = true;
        foreach (BoundSocket listener in _listeners)
        {
            _epoll.Forget(listener.Descriptor);
        }
    }

    /// <summary>At the limit waits for a place, or does without where one too many is to be refused. False if stopped.</summary>
    private bool TakePlace(bool draining, out bool place)
    {
        place = _serving.Admission.TryEnter();
        if (place || _serving.Admission.RefusesAtLimit)
        {
            return true;
        }

        try
        {
            _serving.Admission.Enter(draining ? _serving.Stop.Aborting : _serving.Stop.Draining);
            return place = true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private bool Admit(in Accepted accepted, bool place)
    {
        if (place || _serving.Admission.TryEnter())
        {
            if (_serving.Admission.Admits(accepted.Peer))
            {
                return true;
            }

            _serving.Admission.GiveBack();
        }

        _acceptor.Refuse(accepted);
        return false;
    }
}
