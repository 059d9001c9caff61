using System.Diagnostics.CodeAnalysis;

namespace Doorbell.Sessions;

/// <summary>
/// One datagram socket, between its handler and the lane that carries it. The lane tells it what happened; after each call the lane sends
/// what is in the <see cref="Outbox"/> and clears it, opens what <see cref="TryTakeOpening"/> gives, and closes the socket if
/// <see cref="IsClosing"/>. Pure: no socket, no thread, no clock.
/// </summary>
/// <remarks>
/// Exactly one lane may touch a session, one call at a time. <see cref="Opened"/> is its first call, <see cref="Closed"/> its last, always.
/// </remarks>
public sealed class DatagramSession
{
    private readonly DatagramHandler _handler;
    private readonly DatagramLimits _limits;
    private readonly Ledger _ledger;
    private readonly Bell _bell;
    private DatagramPath _path;
    private DatagramTally _tally;

    /// <summary>The path's number in the outbox, or -1 if no answer has been given over it yet.</summary>
    private int _pathNumber;
    private bool _isBounded;
    private bool _answering;
    private long _mayStillReply;
    private TimeSpan _now;
    private LoopGuard? _loops;
    private Queue<(PeerAddress Local, DatagramHandler Handler)>? _openings;

    /// <summary>Further sockets that the handler has asked for and that are not yet closed; their lanes count them down.</summary>
    private int _openedSockets;
    private bool _isDraining;
    private bool _isClosed;

    /// <summary>A session for a socket just bound, which nothing wakes but datagrams and time: rings of its bell do nothing.</summary>
    /// <param name="handler">This socket's own.</param>
    /// <param name="limits">The service's limits, validated.</param>
    /// <param name="ledger">Where it is counted.</param>
    public DatagramSession(DatagramHandler handler, DatagramLimits limits, Ledger ledger)
        : this(handler, limits, ledger, SilentBell.Instance)
    {
    }

    /// <summary>A session for a socket just bound.</summary>
    /// <param name="handler">This socket's own.</param>
    /// <param name="limits">The service's limits, validated.</param>
    /// <param name="ledger">Where it is counted.</param>
    /// <param name="bell">Wakes the lane, which then calls <see cref="Ring"/>.</param>
    public DatagramSession(DatagramHandler handler, DatagramLimits limits, Ledger ledger, Bell bell)
    {
        _handler = handler;
        _limits = limits;
        _ledger = ledger;
        _bell = bell;
    }

    /// <summary>What is to be sent now.</summary>
    public DatagramOutbox Outbox { get; } = new();

    /// <summary>What the handler threw last, if it did; for the log. The lane may clear it.</summary>
    public Exception? Fault { get; set; }

    /// <summary>When <see cref="Tick"/> is to be called at the latest; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan Deadline => Alarm ?? TimeSpan.MaxValue;

    /// <summary>Whether the handler has taken the bell: until then the lane need not listen for it.</summary>
    public bool BellTaken { get; private set; }

    /// <summary>Whether the handler has closed its socket: the lane sends what is in the outbox and closes.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>Whether <see cref="TryTakeOpening"/> has something to give.</summary>
    public bool HasOpenings => _openings is { Count: > 0 };

    /// <summary>Whether, while draining, nothing is half done: the lane closes a socket that is idle when no datagram waits.</summary>
    public bool IsIdle => _handler.IsIdle && Volatile.Read(ref _openedSockets) == 0;

    /// <summary>
    /// Whether the handler may close the socket: so it is for sockets that a handler or a client opened, and not for a server's doors.
    /// </summary>
    public bool MayClose { get; init; }

    internal TimeSpan? Alarm { get; set; }

    internal PeerAddress Local { get; private set; }

    /// <summary>The socket is open. The lane's first call.</summary>
    /// <param name="local">The address that the socket is bound to.</param>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Opened(PeerAddress local, TimeSpan now, DateTimeOffset utcNow)
    {
        Local = local;
        _loops = MayClose || _limits.LoopGuardAnswers == 0 ? null : new LoopGuard(_limits.LoopGuardAnswers);
        Turn(Call.Open, now, utcNow);
    }

    /// <summary>A datagram has arrived, whole.</summary>
    /// <param name="bytes">Lent for the call; may be empty.</param>
    /// <param name="from">Where it came from.</param>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Received(ReadOnlySpan<byte> bytes, PeerAddress from, TimeSpan now, DateTimeOffset utcNow) =>
        Received(bytes, bytes.Length, new DatagramPath(from, default), now, utcNow);

    /// <summary>
    /// One or several datagrams have arrived over one path, one behind the other, as the kernel joins them (UDP_GRO, udp(7)). Each is
    /// handled by itself. It stops early when the <see cref="Outbox"/> is full, and behind a <see cref="Fault"/>: the lane sends, or
    /// logs, and gives the rest.
    /// </summary>
    /// <param name="bytes">Lent for the call; if empty, one empty datagram.</param>
    /// <param name="stride">The length of each but the last, which may be shorter. At least all of them if it is one.</param>
    /// <param name="path">Between whom.</param>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    /// <returns>Bytes of the datagrams handled.</returns>
    public int Received(ReadOnlySpan<byte> bytes, int stride, in DatagramPath path, TimeSpan now, DateTimeOffset utcNow)
    {
        _path = path;
        _pathNumber = -1;
        _now = now;
        _isBounded = _limits.MaxAmplification > 0 && !path.Peer.IsLoopback;
        int done = 0;
        do
        {
            int rest = bytes.Length - done;
            int length = stride > 0 && stride < rest ? stride : rest;
            Handle(bytes.Slice(done, length), now, utcNow);
            done += length;
        }
        while (done < bytes.Length && Fault is null && !Outbox.IsFull);

        _ledger.Add(_tally);
        _tally = default;
        return done;
    }

    /// <summary>Time has passed; calls the alarm if it is due.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Tick(TimeSpan now, DateTimeOffset utcNow)
    {
        if (Alarm is { } alarm && alarm <= now)
        {
            Alarm = null;
            Turn(Call.Alarm, now, utcNow);
        }
    }

    /// <summary>The bell was rung, once or several times.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Ring(TimeSpan now, DateTimeOffset utcNow) => Turn(Call.Ring, now, utcNow);

    /// <summary>On a connected socket: a datagram sent earlier did not reach the peer, or the system refused to send one.</summary>
    /// <param name="peer">The peer that the socket is connected to.</param>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Unreachable(PeerAddress peer, TimeSpan now, DateTimeOffset utcNow) =>
        Turn(Call.Unreachable, now, utcNow, peer);

    /// <summary>The server drains. The lane goes on until no datagram waits and the session <see cref="IsIdle"/>.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Drain(TimeSpan now, DateTimeOffset utcNow)
    {
        if (!_isDraining)
        {
            _isDraining = true;
            Turn(Call.Drain, now, utcNow);
        }
    }

    /// <summary>The socket is closed. The lane's last call; further ones do nothing.</summary>
    /// <param name="reason">Why; told to the handler.</param>
    public void Closed(CloseReason reason)
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        try
        {
            _handler.OnClosed(reason);
        }
        catch (Exception fault)
        {
            Faulted(fault);
        }
    }

    /// <summary>
    /// A further socket that the handler has asked for. The lane opens it, and calls <see cref="OpenedSocketClosed"/> when it ends.
    /// </summary>
    /// <param name="local">
    /// The address to bind to, with port 0 for any free port; <see cref="AddressKind.None"/> for any free port of this socket's address.
    /// </param>
    /// <param name="handler">The further socket's own handler; if the socket can't be opened, it is to be told that it is closed.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeOpening(out PeerAddress local, [NotNullWhen(true)] out DatagramHandler? handler)
    {
        bool has = _openings is { Count: > 0 };
        (local, handler) = has ? _openings!.Dequeue() : default;
        return has;
    }

    /// <summary>
    /// A further socket of this one is closed, or could not be opened. Any thread may call it, once for each opening taken.
    /// </summary>
    public void OpenedSocketClosed() => Interlocked.Decrement(ref _openedSockets);

    internal Bell TakeBell()
    {
        BellTaken = true;
        return _bell;
    }

    internal bool TryOpen(PeerAddress local, DatagramHandler handler)
    {
        if (local.Kind == AddressKind.Unix)
        {
            throw new ArgumentException("Only UDP sockets can be opened from inside a handler.", nameof(local));
        }

        if (Volatile.Read(ref _openedSockets) >= _limits.MaxOpenedSockets)
        {
            return false;
        }

        Interlocked.Increment(ref _openedSockets);
        (_openings ??= new Queue<(PeerAddress Local, DatagramHandler Handler)>()).Enqueue((local, handler));
        return true;
    }

    internal void Close()
    {
        if (!MayClose)
        {
            throw new InvalidOperationException("The server closes its doors itself: a handler can close sockets that it has opened.");
        }

        IsClosing = true;
    }

    internal void Reply()
    {
        if (!_answering)
        {
            throw new InvalidOperationException("There is no datagram to answer in this turn: use SendTo.");
        }

        if (Outbox.Begun > _mayStillReply)
        {
            Drop(DatagramDrop.Amplification);
            return;
        }

        int length = Outbox.Begun;
        if (_pathNumber < 0)
        {
            _pathNumber = Outbox.NumberOf(_path);
            _loops?.Turn(_path, Local);
        }

        if (_loops is not null && !_loops.MayAnswer(_now, out DatagramDrop why))
        {
            Drop(why);
            return;
        }

        if (Send(_pathNumber, _path.Peer) && _mayStillReply != long.MaxValue)
        {
            _mayStillReply -= length;
        }
    }

    internal void SendTo(PeerAddress peer, PeerAddress local)
    {
        if (_answering && peer == _path.Peer)
        {
            Reply();
        }
        else
        {
            DatagramPath path = new(peer, local);
            if (_loops is not null && LoopGuard.RefusalOf(path, Local) is { } why)
            {
                Drop(why);
                return;
            }

            Send(Outbox.NumberOf(path), peer);
        }
    }

    internal void PeerIsProved() => _mayStillReply = long.MaxValue;

    internal void CountRequests(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _tally.Requests += count;
    }

    internal void Count(LedgerCounter counter, long more) => _ledger.Add(counter, more);

    private void Handle(ReadOnlySpan<byte> bytes, TimeSpan now, DateTimeOffset utcNow)
    {
        if (bytes.Length > _limits.MaxDatagramBytes)
        {
            _tally.Truncated++;
            return;
        }

        _mayStillReply = _isBounded ? (long)bytes.Length * _limits.MaxAmplification : long.MaxValue;
        _answering = true;
        Outbox.BeginTurn();
        try
        {
            _handler.OnDatagram(new Datagram(bytes, in _path), new DatagramTurn(this, now, utcNow));
        }
        catch (Exception fault)
        {
            Faulted(fault);
        }

        _answering = false;
        Outbox.Undo();
        _tally.Datagrams++;
        _tally.Bytes += bytes.Length;
    }

    private bool Send(int path, PeerAddress peer)
    {
        if (Outbox.Begun > _limits.MaxBytesTo(peer))
        {
            return Drop(DatagramDrop.AnswerTooLarge);
        }

        if (Outbox.CountOfTurn >= _limits.MaxAnswersPerTurn)
        {
            return Drop(DatagramDrop.TooManyAnswers);
        }

        Outbox.End(path);
        return true;
    }

    /// <summary>One call of the handler that no datagram has caused.</summary>
    private void Turn(Call call, TimeSpan now, DateTimeOffset utcNow, PeerAddress peer = default)
    {
        Outbox.BeginTurn();
        try
        {
            Dispatch(call, new DatagramTurn(this, now, utcNow), peer);
        }
        catch (Exception fault)
        {
            Faulted(fault);
        }

        Outbox.Undo();
        _ledger.Add(_tally);
        _tally = default;
    }

    private bool Drop(DatagramDrop why)
    {
        Outbox.Undo();
        _ledger.DatagramDropped(why);
        return false;
    }

    private void Faulted(Exception fault)
    {
        Fault = fault;
        _ledger.DatagramFaulted();
    }

    private void Dispatch(Call call, DatagramTurn turn, PeerAddress peer)
    {
        switch (call)
        {
            case Call.Open:
                _handler.OnOpen(turn);
                break;
            case Call.Alarm:
                _handler.OnAlarm(turn);
                break;
            case Call.Ring:
                _handler.OnRing(turn);
                break;
            case Call.Drain:
                _handler.OnDrain(turn);
                break;
            case Call.Unreachable:
                _handler.OnUnreachable(peer, turn);
                break;
        }
    }

    /// <summary>The calls of a handler that no datagram causes.</summary>
    private enum Call
    {
        Open,
        Alarm,
        Ring,
        Drain,
        Unreachable,
    }

    /// <summary>The bell of a session that has no lane to be woken.</summary>
    private sealed class SilentBell : Bell
    {
        public static SilentBell Instance { get; } = new();

        public override void Ring()
        {
        }
    }
}
