using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lanes;

/// <summary>
/// Accepts by blocking: for a lane that has nothing else to do meanwhile. What it does not take stays in the kernel's backlog, and
/// of several lanes that wait for a connection the kernel wakes one.
/// </summary>
internal sealed class BlockingAcceptor : IDisposable
{
    private const int StopToken = -1;

    /// <summary>
    /// How often a door that has as many connections as it may have is looked at. The others may be another process's, so nobody calls
    /// when there is room.
    /// </summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(10);

    private readonly Acceptor _acceptor;
    private readonly ServerContext _context;
    private readonly ShutdownEvents _shutdown;
    private readonly IReadOnlyList<DoorSocket> _listeners;
    private readonly Epoll _epoll = new();

    /// <summary>Listeners that are not waited for, since their doors are full: they would wake the lane at once.</summary>
    private readonly HashSet<int> _muted = [];
    private bool _left;

    public BlockingAcceptor(IReadOnlyList<DoorSocket> listeners, ServerContext context, ShutdownEvents shutdown)
    {
        _acceptor = new Acceptor(listeners, context, whenRoom: null);
        _context = context;
        _listeners = listeners;
        _shutdown = shutdown;
        _epoll.Watch(shutdown.StopAccepting.Descriptor, Epoll.In, StopToken);
        for (int i = 0; i < listeners.Count; i++)
        {
            Watch(i);
        }
    }

    /// <summary>
    /// Waits for the next connection, which has its lease. False when the server accepts no more and nothing is
    /// left in the backlog that it should take.
    /// </summary>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public bool Next(out AcceptedSocket accepted)
    {
        while (true)
        {
            bool last = _shutdown.HasStoppedAccepting;
            if (_shutdown.IsAborting)
            {
                accepted = default;
                return false;
            }

            if (last && !_left)
            {
                StopWaiting();
            }

            if (!TryAcquireLease(last, out bool leased))
            {
                continue;
            }

            if (_acceptor.TryAccept(_left, out accepted, out TimeSpan pause))
            {
                if (_acceptor.Admits(accepted, leased))
                {
                    return true;
                }

                continue;
            }

            if (leased)
            {
                _context.Admission.Release();
            }

            if (pause > TimeSpan.Zero)
            {
                _shutdown.Pause(pause);
            }
            else if (!last)
            {
                Wait();
            }
            else if (_acceptor.FoundFullDoor)
            {
                _shutdown.Pause(_lookAgain);
            }
            else
            {
                return false;
            }
        }
    }

    public void Dispose() => _epoll.Dispose();

    private void Watch(int listener) => _epoll.Watch(_listeners[listener].Descriptor, Epoll.In | Epoll.Exclusive, listener);

    private void Wait()
    {
        if (_acceptor.FoundFullDoor)
        {
            Mute();
            _epoll.Wait((int)_lookAgain.TotalMilliseconds);
        }
        else
        {
            _epoll.Wait(-1);
        }

        foreach (int listener in _muted)
        {
            Watch(listener);
        }

        _muted.Clear();
    }

    private void Mute()
    {
        for (int i = 0; i < _listeners.Count; i++)
        {
            if (Admission.IsBounded(_listeners[i].Door) && _muted.Add(i))
            {
                _epoll.Forget(_listeners[i].Descriptor);
            }
        }
    }

    /// <summary>
    /// Stops waiting before the last accepts: of those that wait the kernel wakes one, and a connection that woke this lane would be
    /// noticed by no other, here or in the server that takes over.
    /// </summary>
    private void StopWaiting()
    {
        _left = true;
        foreach (DoorSocket listener in _listeners)
        {
            _epoll.Forget(listener.Descriptor);
        }
    }

    /// <summary>At the limit waits for a lease, or does without where one too many is to be refused. False if stopped.</summary>
    private bool TryAcquireLease(bool last, out bool leased)
    {
        leased = _context.Admission.TryAcquire();
        if (leased || _context.Admission.RefusesAtLimit)
        {
            return true;
        }

        try
        {
            _context.Admission.Acquire(last ? _context.Shutdown.Aborting : _context.Shutdown.AcceptingStopped);
            return leased = true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
