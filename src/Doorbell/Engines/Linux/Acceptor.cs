namespace Doorbell;

/// <summary>A connection just accepted.</summary>
/// <param name="Descriptor">Owned by whoever holds this.</param>
/// <param name="Door">Where it came in.</param>
/// <param name="Peer">Whose it is.</param>
internal readonly record struct Accepted(int Descriptor, Endpoint Door, PeerAddress Peer);

/// <summary>Accepts from listeners without waiting, each in its turn, and sorts what accept(2) answers. One lane's own.</summary>
internal sealed unsafe class Acceptor
{
    private const int LongestAddress = 128;

    /// <summary>After a connection that can't have its options: the next can't either, and the lane has others to serve.</summary>
    private static readonly TimeSpan _breath = TimeSpan.FromMilliseconds(1);

    private readonly IReadOnlyList<BoundSocket> _listeners;
    private readonly Serving _serving;
    private readonly Backoff _backoff = new();
    private int _next;
    private int? _leftAtDrain;

    public Acceptor(IReadOnlyList<BoundSocket> listeners, Serving serving)
    {
        _listeners = listeners;
        _serving = serving;
        foreach (BoundSocket listener in listeners)
        {
            // Another lane, or another process, may take the connection that woke this one.
            listener.Socket.Blocking = false;
        }
    }

    /// <summary>
    /// The next connection of any listener. False if there is none now; then <paramref name="pause"/> says how long to leave
    /// accepting alone, if the system is short of something or a connection could not have its socket options.
    /// </summary>
    /// <param name="drains">
    /// The lane drains and waits for its listeners no more. Before that it must accept whatever it is woken for: of those that wait the
    /// kernel wakes one, and nobody else would hear of that connection.
    /// </param>
    /// <param name="accepted">Owned by the caller.</param>
    /// <param name="pause">How long to accept nothing; zero for not at all.</param>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public bool TryAccept(bool drains, out Accepted accepted, out TimeSpan pause)
    {
        pause = TimeSpan.Zero;
        accepted = default;
        if (drains && !MayStillAccept())
        {
            return false;
        }

        for (int idle = 0; idle < _listeners.Count; idle++)
        {
            BoundSocket listener = _listeners[_next];
            _next = (_next + 1) % _listeners.Count;
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

                if (!GoesOn(listener.Door.Endpoint, errno, out pause))
                {
                    return false;
                }
            }
        }

        accepted = default;
        return false;
    }

    /// <summary>
    /// While draining, what was in the backlog when that began is accepted, and no more: clients that come again and again would never
    /// let it end.
    /// </summary>
    private bool MayStillAccept()
    {
        _leftAtDrain ??= CountLastBacklog();
        return _leftAtDrain-- > 0;
    }

    private int CountLastBacklog()
    {
        int waiting = 0;
        foreach (BoundSocket listener in _listeners)
        {
            if (_serving.Options.LeavesSharedPort)
            {
                listener.StopHandshakes();
            }

            waiting += listener.CountBacklog();
        }

        return waiting;
    }

    /// <summary>What the kernel has accepted by itself; false if it can't have its options.</summary>
    public bool TryTake(BoundSocket listener, int descriptor, out Accepted accepted)
    {
        byte* address = stackalloc byte[LongestAddress];
        int length = LongestAddress;

        // Where it is gone already it has no peer: the first receive says so.
        length = Libc.getpeername(descriptor, address, &length) == 0 ? Math.Min(length, LongestAddress) : 0;
        PeerAddress peer = length == 0 ? default : SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, length));
        accepted = new Accepted(descriptor, listener.Door.Endpoint, peer);
        return TrySetOptions(listener, accepted);
    }

    /// <summary>Closes one connection too many, and tells it why if there is something to tell.</summary>
    public void Refuse(in Accepted accepted)
    {
        _serving.Ledger.ConnectionRefused();
        ServerLog.Refused(_serving.Log, accepted.Door, accepted.Peer);
        byte[] refusal = _serving.Admission.Refusal;
        fixed (byte* bytes = refusal)
        {
            _ = Libc.send(accepted.Descriptor, bytes, refusal.Length, Libc.MessageDontWait | Libc.MessageNoSignal);
        }

        // What it has sent already is read first: closing with unread input sends a reset, which can destroy the line.
        byte* unread = stackalloc byte[1024];
        _ = Libc.shutdown(accepted.Descriptor, Libc.ShutdownSend);
        _ = Libc.recv(accepted.Descriptor, unread, 1024, Libc.MessageDontWait);
        _ = Libc.close(accepted.Descriptor);
    }

    /// <summary>0, or errno.</summary>
    private int TryAccept(BoundSocket listener, out Accepted accepted)
    {
        byte* address = stackalloc byte[LongestAddress];
        int length = LongestAddress;

        // It may block: what a lane calls does not wait all the same, io_uring waits in the lane's place, and a program expects it so.
        int descriptor = Libc.accept4(listener.Descriptor, address, &length, Libc.SocketCloseOnExec);
        if (descriptor < 0)
        {
            accepted = default;
            return LinuxErrno.Last;
        }

        if (_leftAtDrain is not null && _serving.Options.LeavesSharedPort)
        {
            BoundSocket.HearAfterHandshake(descriptor);
        }

        PeerAddress peer = SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, Math.Min(length, LongestAddress)));
        accepted = new Accepted(descriptor, listener.Door.Endpoint, peer);
        return 0;
    }

    /// <summary>Gives a connection the options asked for that it does not inherit; closes it if the kernel refuses one.</summary>
    private bool TrySetOptions(BoundSocket listener, in Accepted accepted)
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
            _serving.Ledger.AcceptFailed();
            ServerLog.LaneFailed(_serving.Log, accepted.Door, refused.Message);
            _ = Libc.close(accepted.Descriptor);
            return false;
        }
    }

    /// <summary>Whether to try that listener again at once.</summary>
    private bool GoesOn(Endpoint door, int errno, out TimeSpan pause)
    {
        pause = TimeSpan.Zero;
        _serving.Ledger.AcceptFailed();
        NetworkException failure = NetworkException.FromErrno("accept", door.ToString(), errno);
        switch (AcceptFailures.Classify(failure.Error))
        {
            case AcceptFailure.OfTheConnection:
                ServerLog.ConnectionLostBeforeAccept(_serving.Log, failure.Message);
                return true;
            case AcceptFailure.OfResources:
                pause = _backoff.Next();
                if (_serving.Shortages.MayLog())
                {
                    ServerLog.AcceptFailed(_serving.Log, failure.Message);
                }

                return false;
            default:
                ServerLog.AcceptFailed(_serving.Log, failure.Message);
                throw failure;
        }
    }
}
