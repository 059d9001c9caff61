using System.Runtime.InteropServices;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// Lets io_uring accept from the listeners. Some requests are under way at once, so that the kernel can accept all that wait in one call;
/// each accepts one connection, tells whose it is, and is then made anew. Near the limit of places, where a door has a bound of its own,
/// after a failure, and when the server drains, it stops for good and leaves accepting to the <see cref="LoopAcceptor"/>, which takes a
/// place for a connection before it takes the connection.
/// </summary>
/// <remarks>
/// A multishot request would save the making. But it accepts as many as wait in the backlog, whatever the limit; it tells no address, which
/// costs a call for each connection; and where loops share the listeners, it would have all connections: the kernel wakes the request that
/// waits longest.
/// </remarks>
internal sealed unsafe class RingAcceptor : IDisposable
{
    /// <summary>With fewer places left the kernel no longer accepts by itself: it would take more than there are places for.</summary>
    private const int FewPlaces = 256;

    /// <summary>Requests of a lane that shares its listeners with no other.</summary>
    private const int RequestsAlone = 32;

    private readonly IReadOnlyList<DoorSocket> _listeners;
    private readonly ServerContext _context;
    private readonly IoUring _ring;
    private readonly LoopAcceptor _acceptor;
    private readonly bool _isBounded;
    private readonly int _perListener;
    private readonly bool[] _armed;

    /// <summary>One for each request.</summary>
    private readonly PeerSlot* _peers;
    private int _underWay;

    /// <summary>
    /// A request waits before it tries: a try makes a socket and a file before it finds that no connection waits, and throws them away
    /// (do_accept() in net/socket.c).
    /// </summary>
    private bool _pollsFirst = true;
    private bool _stops;
    private bool _asked;
    private bool _waits;

    /// <param name="listeners">Where to accept from.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="ring">The lane's.</param>
    /// <param name="acceptor">The lane's: it is given the connections, and takes over at the end.</param>
    public RingAcceptor(SharedSockets listeners, ServerContext context, IoUring ring, LoopAcceptor acceptor)
    {
        _listeners = listeners.Sockets;
        _context = context;
        _ring = ring;
        _acceptor = acceptor;
        _isBounded = _listeners.Any(static listener => Admission.IsBounded(listener.Door));

        // Of lanes that share a listener, one may be busy for long: what the kernel gives to its request waits until it is done. So each
        // has one request.
        _perListener = listeners.Lanes > 1 ? 1 : Math.Clamp(FewPlaces / Math.Max(_listeners.Count, 1), 1, RequestsAlone);
        _armed = new bool[_listeners.Count * _perListener];
        _peers = (PeerSlot*)NativeMemory.AllocZeroed((nuint)_armed.Length, (nuint)sizeof(PeerSlot));
    }

    public bool IsUnderWay => _underWay > 0;

    private bool Stops => _stops || _isBounded || !_context.Descriptors.MayAccept || _context.Admission.LeasesLeft < FewPlaces;

    public void Begin()
    {
        for (int i = 0; i < _armed.Length && !Stops; i++)
        {
            Arm(i);
        }

        _ = IsDone(stopping: false);
    }

    /// <summary>A connection, or a failure: either ends the request.</summary>
    public void Completed(int request, in Completion completion, TimeSpan now)
    {
        Over(request);
        PeerSlot* peer = _peers + request;
        if (completion.Result >= 0)
        {
            _acceptor.Take(request / _perListener, completion.Result, new(peer->Address, Math.Min(peer->Length, PeerSlot.Bytes)), now);
        }
        else if (-completion.Result == Libc.InvalidArgument && peer->PollsFirst)
        {
            // The kernel is older than Linux 6.10.
            _pollsFirst = false;
        }
        else
        {
            // The next accept(2) meets the same failure, and knows what to do about it.
            _stops = true;
        }

        if (!Stops)
        {
            Arm(request);
        }
    }

    /// <summary>As <see cref="Completed"/>, of a lane that has failed: nobody is there to serve a connection.</summary>
    public void Discard(int request, in Completion completion)
    {
        Over(request);
        if (completion.Result >= 0)
        {
            _ = Libc.close(completion.Result);
        }
    }

    /// <summary>Whether no request is under way and the rest is the other's. Asks them to end if it is time.</summary>
    public bool IsDone(bool stopping)
    {
        if (stopping || Stops)
        {
            Stop();
        }

        if (!_stops || IsUnderWay)
        {
            return false;
        }

        if (!_waits && !stopping)
        {
            _waits = true;
            _acceptor.ResumeWaiting();
        }

        return true;
    }

    /// <summary>Once the ring is closed. Where a request may still be under way, its memory is left to the kernel.</summary>
    public void Dispose()
    {
        if (!IsUnderWay)
        {
            NativeMemory.Free(_peers);
        }
    }

    private void Stop()
    {
        _stops = true;
        for (int i = 0; i < _armed.Length && !_asked; i++)
        {
            if (_armed[i])
            {
                _ring.Cancel(Operation.UserData(Operation.Accept, i));
            }
        }

        _asked = true;
    }

    private void Arm(int request)
    {
        nint none = 0;
        ref Submission accept = ref _ring.Next(ref none, Operation.Accept, _listeners[request / _perListener].Descriptor, request);
        PeerSlot* peer = _peers + request;
        peer->Length = PeerSlot.Bytes;
        accept.Address = (ulong)peer->Address;
        accept.AddressLength = (ulong)&peer->Length;
        accept.Priority = (peer->PollsFirst = _pollsFirst) ? Operation.AcceptPollsFirst : (ushort)0;
        accept.OperationFlags = Libc.SocketCloseOnExec;
        _armed[request] = true;
        _underWay++;
    }

    private void Over(int request)
    {
        _armed[request] = false;
        _underWay--;
    }

    /// <summary>What belongs to a request: how it was made, and where it writes whose connection it has accepted.</summary>
    private struct PeerSlot
    {
        /// <summary>The longest address is a unix socket's, with 110.</summary>
        public const int Bytes = 120;

        public bool PollsFirst;
        public int Length;
        public fixed byte Address[Bytes];
    }
}
