namespace Doorbell.Sessions;

/// <summary>
/// One datagram socket, between its handler and the lane that carries it. The lane hands over each datagram, sends what is in
/// the <see cref="Outbox"/> and clears it. Pure: no socket, no thread, no clock. Exactly one lane may touch it.
/// </summary>
public sealed class DatagramSession
{
    private readonly DatagramHandler _handler;
    private readonly DatagramLimits _limits;
    private readonly Ledger _ledger;
    private DatagramPath _path;
    private DatagramTally _tally;

    /// <summary>The path's number in the outbox, or -1 if no answer has been given over it yet.</summary>
    private int _pathNumber;
    private bool _isBounded;
    private bool _answering;
    private long _mayStillReply;

    /// <summary>A session for a socket just bound.</summary>
    /// <param name="handler">This socket's own.</param>
    /// <param name="limits">The service's limits, validated.</param>
    /// <param name="ledger">Where it is counted.</param>
    public DatagramSession(DatagramHandler handler, DatagramLimits limits, Ledger ledger)
    {
        _handler = handler;
        _limits = limits;
        _ledger = ledger;
    }

    /// <summary>What is to be sent now.</summary>
    public DatagramOutbox Outbox { get; } = new();

    /// <summary>What the handler threw last, if it did; for the log. The lane may clear it.</summary>
    public Exception? Fault { get; set; }

    /// <summary>When <see cref="Tick"/> is to be called at the latest; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan Deadline => Alarm ?? TimeSpan.MaxValue;

    internal TimeSpan? Alarm { get; set; }

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
        if (Alarm is not { } alarm || alarm > now)
        {
            return;
        }

        Alarm = null;
        Outbox.BeginTurn();
        try
        {
            _handler.OnAlarm(new DatagramTurn(this, now, utcNow));
        }
        catch (Exception fault)
        {
            Faulted(fault);
        }

        Outbox.Undo();
    }

    internal void Reply()
    {
        if (!_answering)
        {
            throw new InvalidOperationException("There is no datagram to answer in an alarm's turn: use SendTo.");
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
        }

        if (Send(_pathNumber) && _mayStillReply != long.MaxValue)
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
            Send(Outbox.NumberOf(new DatagramPath(peer, local)));
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

    private bool Send(int path)
    {
        if (Outbox.Begun > _limits.MaxDatagramBytes)
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
}
