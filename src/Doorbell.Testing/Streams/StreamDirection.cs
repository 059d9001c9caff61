namespace Doorbell.Testing;

/// <summary>
/// One direction of a stream, as TCP carries it: cut in segments at random, each of which the link delays or loses; a lost one is sent
/// again, and those behind it wait, so that the bytes come whole and in order.
/// </summary>
/// <remarks>
/// Acknowledgements are not simulated: the sender knows what is lost, and sends it again when TCP's timer would. There is no congestion
/// window.
/// </remarks>
internal sealed class StreamDirection(SimulatedNetwork network, SimulatedLink link, SeededRandom random) : IScheduled
{
    /// <summary>Bytes on the way and not yet received: back-pressure from here on.</summary>
    private const int Window = 64 * 1024;
    private const int ResetArrives = -1;
    private readonly ByteQueue _bytes = new();
    private readonly SegmentQueue _segments = new();

    /// <summary>The sender is gone, or has given up: nothing is sent any more, not for the second time either.</summary>
    private bool _isStopped;

    /// <summary>Something new for the receiver.</summary>
    public Action? OnArrival { get; set; }

    /// <summary>Room for the sender, or its giving up.</summary>
    public Action? OnRoom { get; set; }

    /// <summary>The handshake's last segment has come; false if there is no place in the backlog.</summary>
    public Func<bool>? OnOpen { get; set; }

    /// <summary>What came found the receiver's end closed.</summary>
    public Action? OnUnwanted { get; set; }

    /// <summary>A reset has come: the receiver's kernel forgets the connection.</summary>
    public Action? OnReset { get; set; }

    public int Readable { get; private set; }

    public int Room => _isStopped ? 0 : Window - _bytes.Count;

    public bool HasEnded { get; private set; }

    public bool IsReset { get; private set; }

    /// <summary>Whether the sender gave up sending again.</summary>
    public bool HasTimedOut { get; private set; }

    /// <summary>Whether the receiver has closed its end: bytes that come are answered with a reset.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Whether the receiver's kernel knows nothing of the connection any more: whatever comes is answered with a reset.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>The client's first segment, before all others.</summary>
    public void Open() => Add(SegmentKind.Open, 0);

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (_isStopped)
        {
            return;
        }

        _bytes.Enqueue(bytes);
        int most = link.MaxSegmentBytes;
        for (int left = bytes.Length; left > 0;)
        {
            int piece = 1 + random.Next(Math.Min(left, most));
            left -= piece;
            Add(SegmentKind.Data, piece);
        }
    }

    public void End() => Add(SegmentKind.End, 0);

    /// <summary>Sends a reset: what is on its way comes before it, what was lost does not come any more. It may itself be lost.</summary>
    public void Reset()
    {
        _isStopped = true;
        if (link.TrySend(0, out TimeSpan arrivesAt))
        {
            network.At(arrivesAt, this, ResetArrives);
        }
    }

    /// <summary>The sender's kernel has forgotten the connection.</summary>
    public void Stop() => _isStopped = true;

    public void Receive(Span<byte> into)
    {
        _bytes.Dequeue(into);
        Readable -= into.Length;
        network.Trace(into);
        OnRoom?.Invoke();
    }

    void IScheduled.Happen(int what)
    {
        if (what == ResetArrives)
        {
            ArriveReset();
        }
        else if ((what & 1) == 0)
        {
            Arrive(what >> 1);
        }
        else
        {
            SendAgain(what >> 1);
        }
    }

    private void Add(SegmentKind kind, int length)
    {
        if (!_isStopped)
        {
            Transmit(_segments.Add(kind, length));
        }
    }

    private void Transmit(int number)
    {
        ref Segment segment = ref _segments[number];
        segment.Sent++;
        if (link.TrySend(segment.Length, out TimeSpan arrivesAt))
        {
            network.At(arrivesAt, this, number << 1);
        }
        else
        {
            WaitToSendAgain(number);
        }
    }

    private void WaitToSendAgain(int number) =>
        network.At(network.Now + Retransmission.OfSegment(_segments[number].Sent), this, (number << 1) | 1);

    private void SendAgain(int number)
    {
        if (_isStopped)
        {
            return;
        }

        if (_segments[number].Sent <= Retransmission.MaxOfSegment)
        {
            Transmit(number);
            return;
        }

        HasTimedOut = _isStopped = true;
        network.Trace(number);
        OnRoom?.Invoke();
    }

    private void Arrive(int number)
    {
        if (IsReset)
        {
            return;
        }

        SegmentKind kind = _segments[number].Kind;
        if (link.IsCut || (kind == SegmentKind.Open && OnOpen?.Invoke() == false))
        {
            WaitToSendAgain(number);
            return;
        }

        if (IsForgotten || (IsClosed && kind == SegmentKind.Data))
        {
            OnUnwanted?.Invoke();
            WaitToSendAgain(number);
            return;
        }

        network.Trace(((long)kind << 32) + _segments[number].Length);
        _segments[number].HasArrived = true;
        TakeInOrder();
        OnArrival?.Invoke();
    }

    private void TakeInOrder()
    {
        while (_segments.Count > 0 && _segments[_segments.First].HasArrived)
        {
            Segment segment = _segments.Take();
            Readable += segment.Length;
            HasEnded |= segment.Kind == SegmentKind.End;
        }
    }

    private void ArriveReset()
    {
        if (link.IsCut || IsReset)
        {
            return;
        }

        network.Trace(ResetArrives);
        IsReset = true;
        OnReset?.Invoke();
        OnArrival?.Invoke();
    }
}
