using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Loops;

/// <summary>Accepts for a lane that has an event loop and serves others between: some connections a round, none by waiting.</summary>
internal sealed class LoopAcceptor
{
    /// <summary>So many connections at once, then those that are open are served before the next.</summary>
    private const int AcceptsPerRound = 64;

    /// <summary>So many at most are accepted while others are to make room for them; the next wait in the backlog.</summary>
    private const int MaxWaitingForRoom = 64;

    /// <summary>How often listeners that could not be watched are looked at.</summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(100);

    private readonly SharedSockets _listeners;
    private readonly ServerContext _context;
    private readonly EventLoop _loop;
    private readonly Action _wake;
    private readonly Acceptor _acceptor;
    private readonly Func<AcceptedSocket, TimeSpan, bool> _open;

    /// <summary>
    /// Connections that have been accepted and wait for a lease: the kernel accepted them before it was told that there is none, or they
    /// were in the backlog when the server's end began.
    /// </summary>
    private readonly Queue<AcceptedSocket> _held = new();

    /// <summary>What those that are held lack, as far as it has been looked at: places at these doors, and a lease.</summary>
    private readonly HashSet<Door> _full = [];
    private bool _needsLease;

    /// <summary>The others know how many are held.</summary>
    private bool _asksForRoom;

    /// <summary>When to look whether others have made room, or are at rest by now.</summary>
    private TimeSpan _lookForRoom = TimeSpan.MaxValue;

    /// <summary>A listener has had news since it was last found empty (edge-triggered: it says so once).</summary>
    private bool _hasBacklog;
    private bool _waits;
    private bool _left;

    /// <summary>It has accepted since it began to wait.</summary>
    private bool _hasTaken;

    /// <summary>The system had no memory to watch the listeners with.</summary>
    private bool _isDeaf;
    private TimeSpan _acceptAgain;
    private int _roomAgain;
    private NetworkException? _failure;

    /// <param name="listeners">All lanes accept from them.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="loop">The lane's: it hears the listeners, and is woken when there may be room again.</param>
    /// <param name="open">Takes a connection, and its lease; false to accept no more this round.</param>
    public LoopAcceptor(
        SharedSockets listeners,
        ServerContext context,
        EventLoop loop,
        Func<AcceptedSocket, TimeSpan, bool> open)
    {
        _listeners = listeners;
        _context = context;
        _loop = loop;
        _open = open;
        _acceptor = new Acceptor(listeners.Sockets, context);
        _wake = () =>
        {
            Volatile.Write(ref _roomAgain, 1);
            loop.Wake();
        };
    }

    /// <summary>It waits for connections, or some of them wait for a place.</summary>
    public bool IsAccepting => !_left || _held.Count > 0;

    /// <summary>When the lane has served its connections to their end: says what kept it from accepting more, if something did.</summary>
    /// <exception cref="NetworkException">A listener could not go on.</exception>
    public void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw _failure;
        }
    }

    /// <summary>Hears of the listeners' news from here on.</summary>
    public void BeginWaiting()
    {
        _waits = true;
        foreach (DoorSocket listener in _listeners.Sockets)
        {
            // Of the lanes that share it the kernel wakes the first that sleeps.
            _loop.Watch(listener.Descriptor, Epoll.In | Epoll.Exclusive | Epoll.Edge, (_, _) => OnReadable());
        }
    }

    /// <summary>
    /// As <see cref="BeginWaiting"/>, of a lane that serves already: a shortage of the system's must not end it. Until the shortage is
    /// over the listeners are looked at from time to time.
    /// </summary>
    public void ResumeWaiting()
    {
        _hasBacklog = true;
        try
        {
            BeginWaiting();
            _isDeaf = false;
        }
        catch (NetworkException shortage)
        {
            StopWaiting();
            _isDeaf = true;
            if (_context.Shortages.MayLog())
            {
                ServerLog.AcceptFailed(_context.Log, shortage.Message);
            }
        }
    }

    /// <summary>A listener has news.</summary>
    public void OnReadable() => _hasBacklog = true;

    /// <summary>When to call <see cref="AcceptSome"/> though nothing happens; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan NextAccept => !IsAccepting ? TimeSpan.MaxValue
        : _hasBacklog && _acceptAgain < _lookForRoom ? _acceptAgain
        : _lookForRoom;

    /// <summary>
    /// Accepts what there is, within bounds. When the server's end has begun it accepts all that wait, and closes the listeners at once.
    /// </summary>
    /// <param name="now">The time.</param>
    public void AcceptSome(TimeSpan now)
    {
        if (_context.Shutdown.Aborting.IsCancellationRequested)
        {
            Close();
        }

        bool isLast = _loop.AcceptsLast;
        if (isLast && !_left)
        {
            AcceptLast(now);
        }

        _hasBacklog |= Interlocked.Exchange(ref _roomAgain, 0) != 0 || _lookForRoom <= now;
        if (!_hasBacklog || !IsAccepting || _acceptAgain > now)
        {
            return;
        }

        if (_isDeaf && !isLast)
        {
            ResumeWaiting();
        }

        _lookForRoom = TimeSpan.MaxValue;
        if (!AdmitHeld(now))
        {
            return;
        }

        if (_held.Count == 0 && isLast)
        {
            _hasBacklog = !_left;
            return;
        }

        bool mayAccept = !isLast && (_held.Count == 0 || _context.Admission.MakesRoom);
        for (int i = 0; mayAccept && i < AcceptsPerRound && AcceptOne(now); i++)
        {
        }

        if (_held.Count > 0)
        {
            WaitForRoom(now);
        }
    }

    /// <summary>io_uring has accepted one, for which there may be no lease any more: it is opened, refused, or waits for a lease.</summary>
    /// <param name="listener">Its index.</param>
    /// <param name="descriptor">The connection's.</param>
    /// <param name="address">The peer's.</param>
    /// <param name="now">The time.</param>
    public void Take(int listener, int descriptor, ReadOnlySpan<byte> address, TimeSpan now)
    {
        if (!_acceptor.TryTake(_listeners.Sockets[listener], descriptor, address, out AcceptedSocket accepted))
        {
            return;
        }

        bool leased = _context.Admission.TryAcquire(_wake);
        if (_context.Admission.MakesRoom)
        {
            AdmitOrHold(accepted, leased, now);
            _hasBacklog |= _held.Count > 0;
        }
        else if (leased || _context.Admission.RefusesAtLimit)
        {
            Admit(accepted, leased, now);
        }
        else
        {
            _held.Enqueue(accepted);
        }
    }

    /// <summary>Accepts no more, ever, and closes what waits for a place.</summary>
    public void Close()
    {
        StopWaiting();
        while (_held.TryDequeue(out AcceptedSocket held))
        {
            _acceptor.Drop(held);
        }

        WaitNoMore();
        LeaveOnce(null);
    }

    /// <summary>The next connection that waits; false if none does, or if the lane is to do something else first.</summary>
    private bool AcceptOne(TimeSpan now)
    {
        bool makesRoom = _context.Admission.MakesRoom;
        bool leased = makesRoom ? _context.Admission.TryAcquire() : _context.Admission.TryAcquire(_wake);
        if (!leased && (makesRoom ? _held.Count >= MaxWaitingForRoom : !_context.Admission.RefusesAtLimit))
        {
            _hasBacklog = false;
            return false;
        }

        if (TryAccept(out AcceptedSocket accepted, out TimeSpan pause))
        {
            _hasTaken = true;
            return makesRoom ? AdmitOrHold(accepted, leased, now) : Admit(accepted, leased, now);
        }

        if (leased)
        {
            _context.Admission.Release();
        }

        NothingToAccept(pause, now);
        return false;
    }

    /// <summary>All that wait: they wait for their places here, and the listeners are closed.</summary>
    private void AcceptLast(TimeSpan now)
    {
        StopWaiting();
        if (_acceptAgain > now)
        {
            return;
        }

        try
        {
            TimeSpan pause = _acceptor.AcceptLast(_held.Enqueue);
            _hasBacklog = true;
            _acceptAgain = now + pause;
            if (pause == TimeSpan.Zero)
            {
                LeaveOnce(listener => _acceptor.AcceptRest(listener, _held.Enqueue));
            }
        }
        catch (NetworkException failure)
        {
            Fail(failure);
        }
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
    /// Admits it, if there is a place, or refuses it, if it would be refused with one too; otherwise another makes room, and it
    /// waits.
    /// </summary>
    /// <returns>False if the lane is to do something else first.</returns>
    private bool AdmitOrHold(in AcceptedSocket accepted, bool leased, TimeSpan now)
    {
        bool placed = leased && _context.Admission.TryAcquireAt(accepted.At);
        if (placed)
        {
            return Admit(accepted, leased: true, now);
        }

        if (leased)
        {
            _context.Admission.Release();
        }

        if (_context.Admission.RefusesAnyway(accepted.Peer, accepted.At))
        {
            return Admit(accepted, leased: false, now);
        }

        _needsLease |= !leased;
        if (leased)
        {
            _full.Add(accepted.At);
        }

        _held.Enqueue(accepted);
        return true;
    }

    /// <summary>Admits those for which there is room. False if the lane is to do something else first.</summary>
    private bool AdmitHeld(TimeSpan now)
    {
        WaitNoMore();
        _full.Clear();
        _needsLease = false;
        bool waits = !_context.Admission.RefusesAtLimit;
        for (int left = _held.Count; left > 0 && !_needsLease; left--)
        {
            Door door = _held.Peek().At;
            if (waits && !_context.Admission.TryAcquireAt(door))
            {
                // Those who come behind may have another door.
                _full.Add(door);
                _held.Enqueue(_held.Dequeue());
                continue;
            }

            bool leased = _context.Admission.TryAcquire();
            if (waits && !leased)
            {
                _context.Admission.ReleaseAt(door);
                _needsLease = true;
            }
            else if (!Admit(_held.Dequeue(), leased, now))
            {
                return false;
            }
        }

        return true;
    }

    private void WaitNoMore()
    {
        if (_asksForRoom)
        {
            _asksForRoom = false;
            _context.Admission.WaitsNoMore(this);
        }
    }

    /// <summary>Of those that are held.</summary>
    private void WaitForRoom(TimeSpan now)
    {
        WaitForRoom(_full, _needsLease);
        if (!_context.Admission.MakesRoom)
        {
            return;
        }

        _lookForRoom = now + LongestAtRest.LookAgain;
        _asksForRoom = true;
        foreach (Door door in _full)
        {
            _context.AskForRoom(this, door, _held.Count(held => held.At == door), now);
        }

        // Who makes room at a door does so everywhere.
        if (_needsLease)
        {
            _context.AskForRoom(this, door: null, _held.Count, now);
        }
    }

    /// <summary>
    /// Lets the lane be woken when there is room. It comes behind all that was acquired in vain and released, since a release wakes who
    /// waits: the lane would wake itself again and again.
    /// </summary>
    private void WaitForRoom(IEnumerable<Door> full, bool needsLease)
    {
        _hasBacklog = false;
        if (needsLease && _context.Admission.TryAcquire(_wake))
        {
            _context.Admission.Release();
            _hasBacklog = true;
        }

        foreach (Door door in full)
        {
            if (_context.Admission.TryAcquireAt(door, _wake))
            {
                _context.Admission.ReleaseAt(door);
                _hasBacklog = true;
            }
        }
    }

    private bool Admit(in AcceptedSocket accepted, bool leased, TimeSpan now) =>
        !_acceptor.Admits(accepted, leased) || _open(accepted, now);

    /// <summary>
    /// Before the last accepts: of those that wait the kernel wakes one, and a connection that woke this lane would be noticed by no
    /// other, here or in the server that takes over.
    /// </summary>
    private void StopWaiting()
    {
        if (!_waits)
        {
            return;
        }

        _waits = false;
        _hasBacklog = true;
        foreach (DoorSocket listener in _listeners.Sockets)
        {
            _loop.Forget(listener.Descriptor);
        }
    }

    private bool TryAccept(out AcceptedSocket accepted, out TimeSpan pause)
    {
        try
        {
            return _acceptor.TryAccept(out accepted, out pause);
        }
        catch (NetworkException failure)
        {
            Fail(failure);
            (accepted, pause) = (default, TimeSpan.Zero);
            return false;
        }
    }

    /// <summary>A listener that can't go on ends the server, but not before this lane's connections are served.</summary>
    private void Fail(NetworkException failure)
    {
        _failure = failure;
        Close();
        _context.Shutdown.Fail();
    }

    private void NothingToAccept(TimeSpan pause, TimeSpan now)
    {
        if (pause > TimeSpan.Zero)
        {
            _acceptAgain = now + pause;
        }
        else if (_isDeaf)
        {
            _acceptAgain = now + _lookAgain;
        }
        else
        {
            WaitForRoom(_acceptor.FullDoors, needsLease: false);
            LetOthersBeNext();
        }
    }

    /// <summary>
    /// Of the lanes that sleep, the kernel wakes the one that has waited for a listener longest, and for as long as it waits: it would have
    /// nearly all connections. So a lane that has taken some begins to wait anew, behind the others.
    /// </summary>
    private void LetOthersBeNext()
    {
        if (!_hasTaken || _listeners.Lanes == 1 || !_waits)
        {
            return;
        }

        bool hasBacklog = _hasBacklog;
        _hasTaken = false;
        StopWaiting();
        ResumeWaiting();
        _hasBacklog = hasBacklog || _isDeaf;
    }
}
