namespace Doorbell;

/// <summary>
/// One of the two connections of a relay. What it receives goes into one queue, what it sends comes from another, and the two sides ring
/// each other's bell. The sides may be on two threads: what one reads of the other is written once, before the ring.
/// </summary>
internal abstract class RelaySide(RelayQueue received, RelayQueue toSend) : StreamHandler
{
    private Bell? _bell;
    private bool _isParked;
    private bool _isFinished;
    private bool _isSending;
    private volatile RelayEnd _end;

    /// <summary>How it ended.</summary>
    protected internal enum RelayEnd
    {
        /// <summary>It has not.</summary>
        None,

        /// <summary>All was received and sent, to both ends.</summary>
        Whole,

        /// <summary>No byte moved for as long as may be, and none was waiting: the other side is closed in order too.</summary>
        Quiet,

        /// <summary>
        /// Something was cut off, or the peer has reset it: the other side is reset too, so that nothing cut looks whole.
        /// </summary>
        Cut,
    }

    /// <summary>
    /// Not before both peers have ended: a relay does not know where a message ends, so at a drain it goes on until they do.
    /// </summary>
    public override bool IsIdle => received.IsEnded && _isFinished;

    /// <summary>It has no work of its own: where no byte moves nothing is done.</summary>
    internal override bool MayMakeRoom => true;

    /// <summary>
    /// What this side sends does not answer what it receives, and each direction has a bound of its own. A side that did not receive while
    /// it sends would stand still for ever beside a peer that does not receive while it sends.
    /// </summary>
    internal override bool ReceivesWhileSending => true;

    /// <summary>The side that sends what this one receives; null while there is none.</summary>
    protected abstract RelaySide? Other { get; }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        int taken = 0;
        do
        {
            taken += received.Add(input[taken..]);
        }
        while (taken < input.Length && !received.WaitForRoom());

        RingOther();
        _isParked = taken < input.Length;
        return _isParked ? Step.Park(taken) : Step.More(taken);
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        received.End();
        RingOther();
        return Next.Stay;
    }

    public override Next OnRing(Turn turn) => Advance(turn);

    public override Next OnFlushed(Turn turn)
    {
        _isSending = false;
        return Advance(turn);
    }

    public override void OnClosed(CloseReason reason)
    {
        bool isWhole = reason == CloseReason.Completed && received.IsEnded && _isFinished;
        bool isQuiet = reason is CloseReason.IdleTimeout or CloseReason.FirstByteTimeout or CloseReason.MadeRoom
            && !_isSending && received.IsEmpty && toSend.IsEmpty;
        _end = isWhole ? RelayEnd.Whole : isQuiet ? RelayEnd.Quiet : RelayEnd.Cut;
        RingOther();
    }

    /// <summary>From here on it can be rung.</summary>
    protected void Listen(Turn turn)
    {
        _bell = turn.Bell;

        // The other side adds and then looks for the bell; this one shows the bell and then looks what was added.
        Interlocked.MemoryBarrier();
    }

    /// <summary>The other side is to look what is new.</summary>
    protected void RingOther()
    {
        Interlocked.MemoryBarrier();
        Other?._bell?.Ring();
    }

    /// <summary>Does what can be done: goes on sending, and on receiving if that waited for room.</summary>
    protected virtual Next Advance(Turn turn)
    {
        RelayEnd end = Other?._end ?? RelayEnd.None;
        if (end is RelayEnd.Cut or RelayEnd.Quiet)
        {
            // What the other side had received before it was cut off is its peer's, and comes first. A peer that answers and then closes
            // with unread bytes makes the kernel send a reset behind the answer (RFC 2525 section 2.17).
            if (!_isFinished)
            {
                Send(turn.Output);
                if (_isSending)
                {
                    return Next.Stay;
                }
            }

            return end == RelayEnd.Cut ? Next.Abort : Next.Close;
        }

        if (!_isFinished)
        {
            bool isLast = toSend.IsEnded;
            Send(turn.Output);
            if (isLast && toSend.IsEmpty)
            {
                _isFinished = true;
                return Next.Finish;
            }
        }

        if (_isParked && received.HasRoom)
        {
            _isParked = false;
            return Next.More;
        }

        return Next.Stay;
    }

    /// <summary>Only what the kernel has taken makes room for more, so that a slow peer slows the one behind the other side.</summary>
    private void Send(OutputBuffer output)
    {
        if (_isSending)
        {
            return;
        }

        bool moved = false;
        while (output.Pending < RelayOptions.OutputBytes && toSend.TryMoveTo(output))
        {
            moved = true;
        }

        _isSending = moved;
        if (moved && toSend.TakeWait())
        {
            RingOther();
        }
    }
}
