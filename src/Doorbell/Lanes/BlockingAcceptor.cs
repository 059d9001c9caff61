using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lanes;

/// <summary>
/// Accepts by blocking: for a lane that has nothing else to do meanwhile. What it does not take stays in the kernel's backlog, and
/// of several lanes that wait for a connection the kernel wakes one. At the server's end it accepts all that wait and closes the listeners
/// at once; those connections then wait in <see cref="SharedSockets.Held"/>.
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
    private readonly SharedSockets _listeners;
    private readonly Epoll _epoll;

    /// <summary>Listeners that are not waited for, since their doors are full: they would wake the lane at once.</summary>
    private readonly HashSet<int> _muted = [];
    private readonly Action _whenRoom;
    private volatile TaskCompletionSource? _room;
    private bool _waits = true;
    private bool _left;

    /// <param name="listeners">Left when the lane accepts no more, at the latest by <see cref="Dispose"/>.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="shutdown">When to stop.</param>
    /// <exception cref="NetworkException">The system refuses what it needs.</exception>
    public BlockingAcceptor(SharedSockets listeners, ServerContext context, ShutdownEvents shutdown)
    {
        _listeners = listeners;
        _context = context;
        _shutdown = shutdown;
        _whenRoom = () => _room?.TrySetResult();
        try
        {
            _acceptor = new Acceptor(listeners.Sockets, context);
            _epoll = new Epoll();
            _epoll.Watch(shutdown.StopAccepting.Descriptor, Epoll.In, StopToken);
            for (int i = 0; i < listeners.Sockets.Count; i++)
            {
                Watch(i);
            }
        }
        catch
        {
            _epoll?.Dispose();
            listeners.Leave();
            throw;
        }
    }

    /// <summary>
    /// Waits for the next connection, which has its lease. False when the server accepts no more and none is left that it should serve.
    /// </summary>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public bool Next(out AcceptedSocket accepted)
    {
        while (true)
        {
            if (_shutdown.IsAborting)
            {
                accepted = default;
                return false;
            }

            if (_shutdown.HasStoppedAccepting)
            {
                TimeSpan again = AcceptLast();
                if (_listeners.Held.TryDequeue(out accepted))
                {
                    if (AdmitHeld(accepted))
                    {
                        return true;
                    }
                }
                else if (again == TimeSpan.Zero)
                {
                    return false;
                }
                else
                {
                    _shutdown.Pause(again);
                }
            }
            else if (TryNext(out accepted))
            {
                return true;
            }
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        while (_shutdown.IsAborting && _listeners.Held.TryDequeue(out AcceptedSocket held))
        {
            _acceptor.Drop(held);
        }

        LeaveOnce(null);
    }

    private void Watch(int listener) => _epoll.Watch(_listeners.Sockets[listener].Descriptor, Epoll.In | Epoll.Exclusive, listener);

    private void Wait()
    {
        if (_acceptor.FullDoors.Count > 0)
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
        for (int i = 0; i < _listeners.Sockets.Count; i++)
        {
            if (Admission.IsBounded(_listeners.Sockets[i].Door) && _muted.Add(i))
            {
                _epoll.Forget(_listeners.Sockets[i].Descriptor);
            }
        }
    }

    /// <summary>False after a wait, or if the connection was refused.</summary>
    private bool TryNext(out AcceptedSocket accepted)
    {
        accepted = default;
        bool leased = _context.Admission.TryAcquire();
        if (!leased && _context.Admission.LeavesInBacklog && !TryAcquireLease(_context.Shutdown.AcceptingStopped, out leased))
        {
            return false;
        }

        if (_acceptor.TryAccept(out accepted, out TimeSpan pause))
        {
            return _context.Admission.MakesRoom ? AdmitWithRoom(accepted, leased) : _acceptor.Admits(accepted, leased);
        }

        if (leased)
        {
            _context.Admission.Release();
        }

        if (pause > TimeSpan.Zero)
        {
            _shutdown.Pause(pause);
        }
        else
        {
            Wait();
        }

        return false;
    }

    /// <summary>
    /// Lets others make room for a connection until it has a place. False if it was refused, or if it waits on with those that were left
    /// when the server's end began.
    /// </summary>
    private bool AdmitWithRoom(in AcceptedSocket accepted, bool leased)
    {
        while (true)
        {
            TaskCompletionSource room = new(TaskCreationOptions.RunContinuationsAsynchronously);
            bool placed = leased && _context.Admission.TryAcquireAt(accepted.At);
            if (placed)
            {
                return _acceptor.Admits(accepted, leased: true);
            }

            if (leased)
            {
                _context.Admission.Release();
            }

            if (_context.Admission.RefusesAnyway(accepted.Peer, accepted.At))
            {
                return _acceptor.Admits(accepted, leased: false);
            }

            _room = room;
            _context.AskForRoom(this, leased ? accepted.At : null, _whenRoom);
            try
            {
                room.Task.Wait((int)LongestAtRest.LookAgain.TotalMilliseconds, _context.Shutdown.AcceptingStopped);
            }
            catch (OperationCanceledException)
            {
                _listeners.Held.Enqueue(accepted);
                return false;
            }
            finally
            {
                _context.Admission.WaitsNoMore(this);
            }

            leased = _context.Admission.TryAcquire();
        }
    }

    /// <summary>All that wait, then leaves the listeners. Zero, or when to try again: the system is short of something.</summary>
    private TimeSpan AcceptLast()
    {
        if (_left)
        {
            return TimeSpan.Zero;
        }

        StopWaiting();
        TimeSpan again = _acceptor.AcceptLast(_listeners.Held.Enqueue);
        if (again == TimeSpan.Zero)
        {
            LeaveOnce(listener => _acceptor.AcceptRest(listener, _listeners.Held.Enqueue));
        }

        return again;
    }

    private void LeaveOnce(Action<DoorSocket>? takeRest)
    {
        if (!_left)
        {
            _left = true;
            _listeners.Leave(takeRest);
        }
    }

    /// <summary>
    /// Stops waiting before the last accepts: of those that wait the kernel wakes one, and a connection that woke this lane would be
    /// noticed by no other, here or in the server that takes over.
    /// </summary>
    private void StopWaiting()
    {
        if (!_waits)
        {
            return;
        }

        _waits = false;
        foreach (DoorSocket listener in _listeners.Sockets)
        {
            _epoll.Forget(listener.Descriptor);
        }
    }

    /// <summary>
    /// Waits for a lease and looks for a place at its door. False if there is no place, and it waits on; if it was refused; or if the
    /// server's end came first.
    /// </summary>
    private bool AdmitHeld(in AcceptedSocket held)
    {
        if (!TryAcquireLease(_context.Shutdown.Aborting, out bool leased))
        {
            _acceptor.Drop(held);
            return false;
        }

        if (_context.Admission.RefusesAtLimit || _context.Admission.TryAcquireAt(held.At))
        {
            return _acceptor.Admits(held, leased);
        }

        _context.Admission.Release();
        _listeners.Held.Enqueue(held);
        _shutdown.Pause(_lookAgain);
        return false;
    }

    /// <summary>At the limit waits for a lease, or does without where one too many is to be refused. False if stopped.</summary>
    private bool TryAcquireLease(CancellationToken stop, out bool leased)
    {
        leased = _context.Admission.TryAcquire();
        if (leased || _context.Admission.RefusesAtLimit)
        {
            return true;
        }

        try
        {
            _context.Admission.Acquire(stop);
            return leased = true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
