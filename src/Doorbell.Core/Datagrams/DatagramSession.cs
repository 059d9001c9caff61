namespace Doorbell;

/// <summary>
/// One datagram socket, between its handler and the lane that carries it. The lane hands over each datagram, sends what is in
/// the <see cref="Outbox"/> and clears it. Pure: no socket, no thread, no clock. Exactly one lane may touch it.
/// </summary>
public sealed class DatagramSession
{
    private readonly DatagramHandler _handler;
    private readonly DatagramLimits _limits;
    private readonly Ledger _ledger;
    private PeerAddress _from;
    private bool _answering;
    private long _mayStillReply;
    private long _requests;

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
    public void Received(ReadOnlySpan<byte> bytes, PeerAddress from, TimeSpan now, DateTimeOffset utcNow)
    {
        bool bounded = _limits.MaxAmplification > 0 && !from.IsLoopback;
        _mayStillReply = bounded ? (long)bytes.Length * _limits.MaxAmplification : long.MaxValue;
        _from = from;
        _answering = true;
        try
        {
            _handler.OnDatagram(new Datagram(bytes, from), new DatagramTurn(this, now, utcNow));
        }
        catch (Exception fault)
        {
            Faulted(fault);
        }

        _answering = false;
        Outbox.Undo();
        _ledger.DatagramReceived(bytes.Length, _requests);
        _requests = 0;
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
        if (Send(_from) && _mayStillReply != long.MaxValue)
        {
            _mayStillReply -= length;
        }
    }

    internal void SendTo(PeerAddress peer)
    {
        if (_answering && peer == _from)
        {
            Reply();
        }
        else
        {
            Send(peer);
        }
    }

    internal void CountRequests(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _requests += count;
    }

    private bool Send(PeerAddress to)
    {
        if (Outbox.Begun > _limits.MaxDatagramBytes)
        {
            return Drop(DatagramDrop.AnswerTooLarge);
        }

        if (Outbox.Count >= _limits.MaxAnswersPerTurn)
        {
            return Drop(DatagramDrop.TooManyAnswers);
        }

        Outbox.End(to);
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
