using Doorbell.Lab.Impair.Faults;
using Doorbell.Links;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// One direction of one connection: what has come from the sender and is not yet the receiver's, when each piece is due, and what becomes
/// of the end. It has no clock, and one side at a time may call it.
/// </summary>
/// <param name="way">What all connections share in this direction.</param>
/// <param name="room">What all connections share.</param>
/// <param name="seed">Of its own chances.</param>
/// <param name="number">The connection's, for faults that a share of the connections has.</param>
internal sealed class StreamDirection(StreamWay way, StreamRoom room, long seed, long number)
{
    /// <summary>The receiver's output takes no more at once: so a fault that is set holds soon, also for a receiver that is slow.</summary>
    private const int MaxInFlight = 64 * 1024;

    private readonly ChunkQueue _queue = new(room);
    private readonly StreamSchedule _schedule = new(seed);

    /// <summary>Bytes given to the receiver's output, of which the kernel has not taken all.</summary>
    private int _inFlight;

    /// <summary>Bytes that have passed, or were given to the receiver's output.</summary>
    private long _passed;
    private TimeSpan _sentAt = TimeSpan.MinValue;

    /// <summary>Of the piece that is next: its bytes, when it arrives, and by which options; null if that is not reckoned yet.</summary>
    private LinkOptions? _reckonedBy;
    private int _reckonedBytes;
    private TimeSpan _arrival;
    private TimeSpan? _endArrived;

    /// <summary>The faults of this connection, and of which set they are.</summary>
    private WayFaults _faults = WayFaults.None;
    private FaultLayers? _faultsOf;

    /// <summary>When so many bytes had passed that both peers are to be closed or reset; null before.</summary>
    private TimeSpan? _closeReached;
    private TimeSpan? _resetReached;

    /// <summary>Whether the sender has ended, or has gone.</summary>
    public bool EndHasCome { get; private set; }

    /// <summary>Whether the receiver has been told an end.</summary>
    public bool EndIsPassed { get; private set; }

    /// <summary>Whether <see cref="Receive"/> would take something.</summary>
    public bool HasRoom => RoomFor(1) > 0;

    /// <summary>Takes as many of the bytes as there is room for.</summary>
    /// <returns>How many.</returns>
    public int Receive(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        int count = RoomFor(bytes.Length);
        if (count > 0)
        {
            _queue.Add(bytes[..count], now);
            way.CountReceived(count);
        }

        return count;
    }

    /// <summary>The sender has ended or was reset. A reset may come behind an end.</summary>
    public void ReceiveEnd(StreamChunkKind kind, TimeSpan now)
    {
        EndHasCome = true;
        _queue.Add(kind, now);
    }

    /// <summary>Passes on what is due, as the faults are now.</summary>
    /// <param name="output">The receiver's; null if the receiver has gone: then bytes are discarded when they are due.</param>
    /// <param name="now">The time.</param>
    public DirectionProgress Advance(OutputBuffer? output, TimeSpan now)
    {
        while (true)
        {
            WayFaults faults = Faults;
            bool hasMore = _queue.TryPeek(out StreamChunk first);
            if (!(EndIsPassed && !hasMore) && AdvanceLimits(faults.Stream, now) is { } atLimit)
            {
                return atLimit;
            }

            if (!hasMore)
            {
                return DirectionProgress.Of(DirectionState.Waiting);
            }

            if (first.Kind != StreamChunkKind.Bytes)
            {
                return AdvanceEnd(first, faults, now);
            }

            if (IsStalled(faults))
            {
                return DirectionProgress.Of(DirectionState.Held);
            }

            if (_inFlight >= MaxInFlight || (_inFlight > 0 && faults.Stream.SliceBytes is not null))
            {
                // Each slice is a send of its own.
                return DirectionProgress.Of(DirectionState.Waiting);
            }

            ReadOnlySpan<byte> piece = _queue.First[..NextPiece(_queue.First.Length, faults)];
            TimeSpan due = DueOf(first.ReceivedAt, piece.Length, faults);
            if (due > now)
            {
                return DirectionProgress.WaitingFor(due);
            }

            Pass(piece, output, now);
        }
    }

    /// <summary>The kernel has taken all that was given to the receiver's output.</summary>
    public void Flushed(TimeSpan now)
    {
        if (_inFlight > 0)
        {
            way.CountForwarded(_inFlight);
            _inFlight = 0;
            _sentAt = now;
            _queue.Released();
        }
    }

    /// <summary>The receiver has gone: what it was given may not have reached it.</summary>
    public void ReceiverGone()
    {
        way.CountDiscarded(_inFlight);
        _inFlight = 0;
        _queue.Released();
    }

    /// <summary>The connection is over.</summary>
    public void Clear() => _queue.Clear();

    private WayFaults Faults
    {
        get
        {
            FaultLayers now = way.Faults.Now;
            if (!ReferenceEquals(_faultsOf, now))
            {
                _faultsOf = now;
                _faults = now.Of(way.Seed, number);
            }

            return _faults;
        }
    }

    private int RoomFor(int bytes) => _queue.RoomFor(bytes, StreamSchedule.MaxBytes(Faults.Link));

    private bool IsStalled(WayFaults faults) => faults.Stream.StallAfter <= _passed;

    /// <summary>What so many bytes end, whose time begins when the receiver's system has them.</summary>
    /// <returns>Null if they have not passed.</returns>
    private DirectionProgress? AdvanceLimits(StreamFaults faults, TimeSpan now)
    {
        bool closes = faults.CloseAfter <= _passed;
        bool resets = faults.ResetAfter <= _passed;
        if ((closes || resets) && _inFlight > 0)
        {
            return DirectionProgress.Of(DirectionState.Waiting);
        }

        _closeReached = closes ? _closeReached ?? now : null;
        _resetReached = resets ? _resetReached ?? now : null;
        if (!closes && !resets)
        {
            return null;
        }

        TimeSpan closeAt = _closeReached + faults.CloseWait ?? TimeSpan.MaxValue;
        TimeSpan resetAt = _resetReached + faults.ResetWait ?? TimeSpan.MaxValue;
        TimeSpan due = closeAt < resetAt ? closeAt : resetAt;
        return due > now
            ? new DirectionProgress(DirectionState.Held, due)
            : DirectionProgress.Of(closeAt < resetAt ? DirectionState.CloseAsked : DirectionState.ResetAsked);
    }

    /// <summary>No further than to where it stalls or is reset, though to set those late may find that passed already.</summary>
    private int NextPiece(int bytes, WayFaults faults)
    {
        if (_reckonedBy is not null)
        {
            bytes = Math.Min(bytes, _reckonedBytes);
        }

        long most = Math.Min(faults.Stream.StallAfter ?? long.MaxValue, faults.Stream.CloseAfter ?? long.MaxValue);
        most = Math.Min(most, faults.Stream.ResetAfter ?? long.MaxValue) - _passed;
        return (int)Math.Clamp(most, 1, _schedule.PieceOf(bytes, faults));
    }

    private TimeSpan DueOf(TimeSpan receivedAt, int bytes, WayFaults faults)
    {
        TimeSpan arrival = ArrivalOf(receivedAt, bytes, faults.Link);
        bool isCut = faults.Stream.SliceBytes is not null && _sentAt != TimeSpan.MinValue;
        return isCut && arrival < _sentAt + faults.Stream.SliceGap ? _sentAt + faults.Stream.SliceGap : arrival;
    }

    /// <summary>The schedule is asked once for each piece, and again if the options have changed while it waits.</summary>
    private TimeSpan ArrivalOf(TimeSpan receivedAt, int bytes, LinkOptions options)
    {
        if (_reckonedBy != options)
        {
            _arrival = _schedule.ArrivalOf(receivedAt, bytes, options);
            _reckonedBytes = bytes;
            _reckonedBy = options;
        }

        return _arrival;
    }

    private void Pass(ReadOnlySpan<byte> piece, OutputBuffer? output, TimeSpan now)
    {
        _reckonedBy = null;
        _schedule.NextPiece();
        _passed += piece.Length;
        int length = piece.Length;
        if (output is not null)
        {
            output.Write(piece);
            _inFlight += length;
            _queue.Take(length);
        }
        else
        {
            // The sender is read from all the same: it may be kept from knowing that the receiver has gone.
            way.CountDiscarded(length);
            _sentAt = now;
            _queue.Take(length);
            _queue.Released();
        }
    }

    /// <summary>The sender's end travels as its bytes do.</summary>
    private DirectionProgress AdvanceEnd(in StreamChunk end, WayFaults faults, TimeSpan now)
    {
        TimeSpan due = _endArrived is null ? DueOf(end.ReceivedAt, 0, faults) : TimeSpan.MinValue;
        if (due > now)
        {
            return DirectionProgress.WaitingFor(due);
        }

        _endArrived ??= now;
        if (_endArrived + faults.Stream.SlowClose is { } slow && slow > now)
        {
            return DirectionProgress.WaitingFor(slow);
        }

        if (faults.Stream.HalfOpen || IsStalled(faults))
        {
            return DirectionProgress.Of(DirectionState.Held);
        }

        if (_inFlight > 0)
        {
            // A reset would throw away what is not sent, and of an output that ends nobody is told that it is flushed.
            return DirectionProgress.Of(DirectionState.Waiting);
        }

        if (end.Kind == StreamChunkKind.Reset)
        {
            return DirectionProgress.Of(DirectionState.Reset);
        }

        _queue.TakeEnd();
        _reckonedBy = null;
        _endArrived = null;
        EndIsPassed = true;
        return new DirectionProgress(DirectionState.Ended, _queue.TryPeek(out _) ? now : TimeSpan.MaxValue);
    }
}
