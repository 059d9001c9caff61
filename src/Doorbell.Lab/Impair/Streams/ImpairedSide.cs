namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// One of the two sides of a connection through the proxy. What it receives goes into one direction, what it sends comes from the other,
/// and the sides ring each other's bell. A side whose other one has gone works its peer's bytes off by itself.
/// </summary>
/// <param name="connection">What both sides share.</param>
/// <param name="received">Takes what comes from this side's peer.</param>
/// <param name="toSend">Has what goes to it.</param>
/// <param name="over">Told once, when both sides are closed.</param>
internal abstract class ImpairedSide(
    ImpairedConnection connection, StreamDirection received, StreamDirection toSend, Action<ImpairedConnection> over) : StreamHandler
{
    /// <summary>How often a held connection is looked at: its receiver may have gone.</summary>
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    /// <summary>How often, and how long, a reset that was asked for waits for the bytes before it to be acknowledged.</summary>
    private static readonly TimeSpan _deliveryLook = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _deliveryMax = TimeSpan.FromSeconds(1);

    private Bell? _bell;
    private bool _isOpen;
    private bool _isClosed;
    private bool _isParked;
    private bool _isCut;
    private TimeSpan? _deliveringSince;

    /// <summary>Not before both directions have ended.</summary>
    public override bool IsIdle => received.EndHasCome && toSend.EndIsPassed;

    /// <summary>The side that sends what this one receives; null while there is none.</summary>
    protected abstract ImpairedSide? Other { get; }

    protected ImpairedConnection Connection => connection;

    public override Next OnOpen(Turn turn)
    {
        lock (connection.Lock)
        {
            _isOpen = true;
            _bell = turn.Bell;
            connection.Listen(_bell);
            connection.LastMoved = turn.Now;
            if (Other is { _isOpen: true })
            {
                Other._bell!.Ring();
                return Advance(turn);
            }

            // Nothing is taken from the client before there is somebody to pass it on to.
            _isParked = true;
            return Next.Park;
        }
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        lock (connection.Lock)
        {
            int taken = received.Receive(input, turn.Now);
            connection.LastMoved = turn.Now;
            _isParked = taken < input.Length;
            RingReceiver();
            return _isParked ? Step.Park(taken) : Step.More(taken);
        }
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        lock (connection.Lock)
        {
            // Of two calls under way the kernel tells one alone of a reset, and to the other it looks like an end. But a connection that
            // was not ended by both sides is not closed.
            bool isReset = !toSend.EndIsPassed && turn.Connection.ReadTransport().IsClosed;
            received.ReceiveEnd(isReset ? StreamChunkKind.Reset : StreamChunkKind.End, turn.Now);
            RingReceiver();
            return Next.Stay;
        }
    }

    public override Next OnRing(Turn turn) => AdvanceLocked(turn);

    public override Next OnAlarm(Turn turn) => AdvanceLocked(turn);

    public override Next OnFlushed(Turn turn)
    {
        lock (connection.Lock)
        {
            toSend.Flushed(turn.Now);
            connection.LastMoved = turn.Now;
            if (Other is { _isParked: true })
            {
                Other._bell!.Ring();
            }

            return Advance(turn);
        }
    }

    public override void OnClosed(CloseReason reason)
    {
        bool isOver;
        lock (connection.Lock)
        {
            _isClosed = true;
            _isCut = reason is not (CloseReason.Completed or CloseReason.DrainDeadline or CloseReason.ConnectFailed);
            toSend.ReceiverGone();
            isOver = connection.SideClosed();
            if (isOver && (_isCut || Other is { _isCut: true }))
            {
                connection.EndBy(StreamEnd.Reset);
            }

            Other?._bell?.Ring();
        }

        if (isOver)
        {
            over(connection);
        }
    }

    /// <summary>Does what is due. The lock is held.</summary>
    protected virtual Next Advance(Turn turn)
    {
        if (connection.End is { } over)
        {
            return EndBy(over);
        }

        TimeSpan alarm = TimeSpan.MaxValue;
        if (Other is { _isClosed: true } && EndAlone(turn, ref alarm) is { } endAlone)
        {
            return EndBy(endAlone);
        }

        DirectionProgress sending = toSend.Advance(toSend.EndIsPassed ? null : turn.Output, turn.Now);
        if (EndOf(sending, turn, ref alarm) is { } end)
        {
            return EndBy(end);
        }

        turn.Alarm = alarm == TimeSpan.MaxValue ? null : alarm;
        if (sending.State == DirectionState.Ended)
        {
            // A side that finishes takes input again, and parks again if there is no room.
            _isParked = false;
            return Next.Finish;
        }

        if (_isParked && received.HasRoom && Other is { _isOpen: true })
        {
            _isParked = false;
            return Next.More;
        }

        return Next.Stay;
    }

    private Next AdvanceLocked(Turn turn)
    {
        lock (connection.Lock)
        {
            return Advance(turn);
        }
    }

    private Next EndBy(StreamEnd end)
    {
        if (connection.End is null)
        {
            connection.EndBy(end);
        }

        return connection.End == StreamEnd.CloseAsked ? Next.Close : Next.Abort;
    }

    private void RingReceiver() => (Other is { _isClosed: true } ? _bell : Other?._bell)?.Ring();

    /// <summary>The other side has gone: this one passes on that it was reset, and works off what goes to nobody.</summary>
    /// <returns>Why the connection is over; null if it is not.</returns>
    private StreamEnd? EndAlone(Turn turn, ref TimeSpan alarm)
    {
        if (Other!._isCut)
        {
            Other._isCut = false;
            toSend.ReceiveEnd(StreamChunkKind.Reset, turn.Now);
        }

        DirectionProgress toNobody = received.Advance(null, turn.Now);
        alarm = toNobody.Until;
        return toNobody.State switch
        {
            DirectionState.Held or DirectionState.Reset => StreamEnd.Reset,
            DirectionState.ResetAsked => StreamEnd.ResetAsked,
            DirectionState.CloseAsked => StreamEnd.CloseAsked,
            _ => null,
        };
    }

    /// <summary>What is to be done for this side's peer.</summary>
    /// <returns>Why the connection is over; null if it is not.</returns>
    private StreamEnd? EndOf(DirectionProgress sending, Turn turn, ref TimeSpan alarm)
    {
        TimeSpan until = sending.Until;
        bool isOver = sending.State is DirectionState.Reset or DirectionState.CloseAsked;
        if (sending.State == DirectionState.Held)
        {
            isOver = turn.Connection.ReadTransport().IsClosed;
            until = turn.Now + _look < until ? turn.Now + _look : until;
        }
        else if (sending.State == DirectionState.ResetAsked)
        {
            // A reset throws away what is not acknowledged.
            _deliveringSince ??= turn.Now;
            TransportState transport = turn.Connection.ReadTransport();
            isOver = transport.IsClosed || transport.IsDelivered || turn.Now - _deliveringSince >= _deliveryMax;
            until = turn.Now + _deliveryLook;
        }

        alarm = until < alarm ? until : alarm;
        return !isOver ? null : sending.State switch
        {
            DirectionState.ResetAsked => StreamEnd.ResetAsked,
            DirectionState.CloseAsked => StreamEnd.CloseAsked,
            _ => StreamEnd.Reset,
        };
    }
}
