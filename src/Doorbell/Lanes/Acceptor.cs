using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.SocketOptions;
using Doorbell.Sockets;

namespace Doorbell.Lanes;

/// <summary>Accepts from listeners without waiting, each in its turn, and sorts what accept(2) answers. One lane's own.</summary>
internal sealed unsafe class Acceptor
{
    private const int MaxAddress = 128;

    /// <summary>Most connections of a listener that the drain accepts: clients that connect without end can't hold it up.</summary>
    private const int MaxLast = 16 * 1024;

    /// <summary>After a connection that can't have its options: the next can't either, and the lane has others to serve.</summary>
    private static readonly TimeSpan _breath = TimeSpan.FromMilliseconds(1);

    private readonly IReadOnlyList<DoorSocket> _listeners;
    private readonly ServerContext _context;
    private readonly Backoff _backoff = new();
    private readonly List<Door> _full = [];
    private int _next;
    private bool _isLast;

    /// <param name="listeners">Where to accept from.</param>
    /// <param name="context">What to serve.</param>
    public Acceptor(IReadOnlyList<DoorSocket> listeners, ServerContext context)
    {
        _listeners = listeners;
        _context = context;
        foreach (DoorSocket listener in listeners)
        {
            // Another lane, or another process, may take the connection that woke this one.
            listener.Socket.Blocking = false;
        }
    }

    /// <summary>
    /// Doors that have as many connections as they may have: in their backlogs the last
    /// <see cref="TryAccept(out AcceptedSocket, out TimeSpan)"/> has left what waits, or would have.
    /// </summary>
    public IReadOnlyList<Door> FullDoors => _full;

    /// <summary>
    /// The next connection of any listener. False if there is none now; then <paramref name="pause"/> says how long to leave
    /// accepting alone, if the system is short of something or a connection could not have its socket options.
    /// </summary>
    /// <param name="accepted">Owned by the caller.</param>
    /// <param name="pause">How long to accept nothing; zero for not at all.</param>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public bool TryAccept(out AcceptedSocket accepted, out TimeSpan pause)
    {
        pause = TimeSpan.Zero;
        accepted = default;
        _full.Clear();
        if (!_context.Descriptors.MayAccept)
        {
            // A connection that is accepted already waits for a descriptor, and these can wait without one.
            pause = DescriptorReserve.Pause;
            return false;
        }

        for (int idle = 0; idle < _listeners.Count; idle++)
        {
            DoorSocket listener = _listeners[_next];
            _next = (_next + 1) % _listeners.Count;
            bool waitsForPlace = _context.Admission.LeavesInBacklog && Admission.IsBounded(listener.Door);
            if (waitsForPlace && !_context.Admission.TryAcquireAt(listener.Door))
            {
                _full.Add(listener.Door);
                continue;
            }

            bool? took = null;
            try
            {
                took = TryAccept(listener, out accepted, out pause);
            }
            finally
            {
                if (waitsForPlace && took != true)
                {
                    _context.Admission.ReleaseAt(listener.Door);
                }
            }

            if (took is { } done)
            {
                return done;
            }
        }

        accepted = default;
        return false;
    }

    /// <summary>Accepts from one listener. Null if nothing waits there; false if there is a pause to make.</summary>
    private bool? TryAccept(DoorSocket listener, out AcceptedSocket accepted, out TimeSpan pause)
    {
        pause = TimeSpan.Zero;
        int errno;
        while ((errno = TryAccept(listener, out accepted)) != Libc.TryAgain)
        {
            if (errno == 0)
            {
                _backoff.Reset();
                if (TrySetOptions(listener, accepted))
                {
                    return true;
                }

                pause = _breath;
                return false;
            }

            if (!ShouldRetry(listener.Door.Endpoint, errno, out pause))
            {
                return false;
            }
        }

        return null;
    }

    /// <summary>
    /// The last accepts of a lane that has stopped waiting for its listeners: all that wait in their backlogs, whether or not there are
    /// places. A listener that is closed resets what is left in its backlog, and so do those who come between the last accept and the
    /// close: nothing else is done between.
    /// </summary>
    /// <param name="take">Takes a connection: it owns it and waits for a place.</param>
    /// <returns>How long to wait and then call again: the system is short of something. Zero: nothing waits any more.</returns>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public TimeSpan AcceptLast(Action<AcceptedSocket> take)
    {
        if (!_isLast && _context.Options.LeavesSharedPort)
        {
            foreach (DoorSocket listener in _listeners)
            {
                listener.StopHandshakes();
            }
        }

        _isLast = true;
        if (!_context.Descriptors.MayAccept)
        {
            return DescriptorReserve.Pause;
        }

        foreach (DoorSocket listener in _listeners)
        {
            if (AcceptLast(listener, take) is { Ticks: > 0 } pause)
            {
                return pause;
            }
        }

        return TimeSpan.Zero;
    }

    /// <summary>
    /// As <see cref="AcceptLast(Action{AcceptedSocket})"/>, right before a listener, which may be another lane's, is closed: it is closed
    /// whatever fails.
    /// </summary>
    public void AcceptRest(DoorSocket listener, Action<AcceptedSocket> take)
    {
        try
        {
            _ = AcceptLast(listener, take);
        }
        catch (NetworkException)
        {
            // It has been logged and counted.
        }
    }

    private TimeSpan AcceptLast(DoorSocket listener, Action<AcceptedSocket> take)
    {
        for (int count = 0; count < MaxLast; count++)
        {
            if (TryAccept(listener, out AcceptedSocket accepted, out TimeSpan pause) != true)
            {
                return pause;
            }

            take(accepted);
        }

        return TimeSpan.Zero;
    }

    /// <summary>What io_uring has accepted; false if it can't have its options.</summary>
    /// <param name="listener">Where it came in.</param>
    /// <param name="descriptor">Its own.</param>
    /// <param name="address">Its peer's, as accept(2) has written it.</param>
    /// <param name="accepted">Owned by the caller.</param>
    public bool TryTake(DoorSocket listener, int descriptor, ReadOnlySpan<byte> address, out AcceptedSocket accepted)
    {
        accepted = new AcceptedSocket(descriptor, listener.Door, SocketAddressCodec.ReadLinux(address));
        return TrySetOptions(listener, accepted);
    }

    /// <summary>Whether a connection may come in; one that may not is closed.</summary>
    /// <param name="accepted">The caller's if it may.</param>
    /// <param name="leased">A lease has been acquired for it.</param>
    public bool Admits(in AcceptedSocket accepted, bool leased)
    {
        AdmissionDecision decision = _context.Admission.Decide(accepted.Peer, accepted.At, leased);
        if (decision == AdmissionDecision.Admitted)
        {
            return true;
        }

        _context.CountRefusal(accepted.At, accepted.Peer, decision);
        Close(accepted.Descriptor, _context.Admission.Refusal);
        return false;
    }

    /// <summary>The server's end has come before there was a place: nobody has served it, and it is counted.</summary>
    public void Drop(in AcceptedSocket held)
    {
        _context.CountRefusal(held.At, held.Peer, AdmissionDecision.Full);
        _ = Libc.close(held.Descriptor);
    }

    /// <summary>Closes a connection that nobody has served.</summary>
    /// <param name="descriptor">Its own.</param>
    /// <param name="lastWords">What its peer is told; perhaps nothing.</param>
    public static void Close(int descriptor, ReadOnlySpan<byte> lastWords)
    {
        fixed (byte* bytes = lastWords)
        {
            _ = SystemCalls.Backend.Send(descriptor, bytes, lastWords.Length, Libc.MessageDontWait | Libc.MessageNoSignal);
        }

        // What it has sent already is read first: closing with unread input sends a reset, which can destroy the line.
        byte* unread = stackalloc byte[1024];
        _ = SystemCalls.Backend.Shutdown(descriptor, Libc.ShutdownSend);
        _ = SystemCalls.Backend.Receive(descriptor, unread, 1024, Libc.MessageDontWait);
        _ = Libc.close(descriptor);
    }

    /// <summary>0, or errno: EAGAIN if nothing waits.</summary>
    private int TryAccept(DoorSocket listener, out AcceptedSocket accepted)
    {
        byte* address = stackalloc byte[MaxAddress];
        int length = MaxAddress;

        // It may block: what a lane calls does not wait all the same, io_uring waits in the lane's place, and a program expects it so.
        int descriptor = SystemCalls.Backend.Accept(listener.Descriptor, address, &length, Libc.SocketCloseOnExec);
        if (descriptor < 0)
        {
            accepted = default;
            int errno = LinuxErrno.Last;
            return errno == Libc.InvalidArgument && listener.Door.Endpoint.IsUnix ? Libc.TryAgain : errno;
        }

        if (_isLast && _context.Options.LeavesSharedPort)
        {
            DoorSocket.ResumeHandshakes(descriptor);
        }

        PeerAddress peer = SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, Math.Min(length, MaxAddress)));
        accepted = new AcceptedSocket(descriptor, listener.Door, peer);
        return 0;
    }

    /// <summary>Gives a connection the options asked for that it does not inherit; closes it if the kernel refuses one.</summary>
    private bool TrySetOptions(DoorSocket listener, in AcceptedSocket accepted)
    {
        try
        {
            foreach (SocketOptionSetting setting in listener.AcceptedOptions)
            {
                setting.Apply(accepted.Descriptor, accepted.Door.ToString());
            }

            return true;
        }
        catch (NetworkException refused)
        {
            _context.Ledger.AcceptFailed();
            ServerLog.LaneFailed(_context.Log, accepted.Door, refused.Message, refused);
            _ = Libc.close(accepted.Descriptor);
            return false;
        }
    }

    /// <summary>Whether to try that listener again at once.</summary>
    private bool ShouldRetry(Endpoint door, int errno, out TimeSpan pause)
    {
        pause = TimeSpan.Zero;
        _context.Ledger.AcceptFailed();
        NetworkException failure = NetworkException.FromErrno("accept", door.ToString(), errno);
        switch (AcceptFailures.Classify(failure.Error))
        {
            case AcceptFailure.OfTheConnection:
                ServerLog.ConnectionLostBeforeAccept(_context.Log, failure.Message);
                return true;
            case AcceptFailure.OfResources:
                pause = _backoff.Next();
                if (_context.Shortages.MayLog())
                {
                    ServerLog.AcceptFailed(_context.Log, failure.Message);
                }

                return false;
            default:
                ServerLog.AcceptFailed(_context.Log, failure.Message);
                throw failure;
        }
    }
}
