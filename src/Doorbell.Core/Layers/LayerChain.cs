using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>What has happened in a <see cref="LayerChain"/>.</summary>
internal enum LayerNews : byte
{
    /// <summary>Nothing that the session has to do more for than to look again.</summary>
    None,

    /// <summary>A layer has failed, or refuses the peer: the connection closes when what is pending is sent.</summary>
    Failed,

    /// <summary>A layer threw, or answered what can't be: the connection is reset.</summary>
    Faulted,
}

/// <summary>Where the handler's input is, seen through the layers.</summary>
internal enum PlainEnd : byte
{
    /// <summary>More may come.</summary>
    Open,

    /// <summary>Every layer has heard its peer's end.</summary>
    Ended,

    /// <summary>The wire has ended, and a layer has not heard its peer's end.</summary>
    Truncated,
}

/// <summary>
/// The layers of one connection, from the wire up. It exists only while there are layers, or while what they have written before they
/// took themselves out is being sent.
/// </summary>
internal sealed class LayerChain
{
    private readonly List<LayerLink> _links = [];
    private readonly ConnectionInfo _connection;
    private readonly ArrayPool<byte> _pool;

    private long _heldAboveWire;

    /// <summary>How many have begun; the last of these may still be opening.</summary>
    private int _begun;

    /// <param name="connection">Learns what the layers find out.</param>
    /// <param name="wire">What is sent to the peer.</param>
    /// <param name="pool">Where memory comes from.</param>
    public LayerChain(ConnectionInfo connection, OutputBuffer wire, ArrayPool<byte> pool)
    {
        _connection = connection;
        _pool = pool;
        Wire = wire;
    }

    /// <summary>What is sent to the peer.</summary>
    public OutputBuffer Wire { get; }

    /// <summary>Whether no layer is left.</summary>
    public bool IsEmpty => _links.Count == 0;

    /// <summary>Whether bytes pass from the wire to the handler.</summary>
    public bool IsOpen => _begun == _links.Count && (IsEmpty || _links[^1].State != LayerState.Opening);

    /// <summary>Whether the handler is to be told now that the connection is open.</summary>
    public bool OpenIsDue => OpenIsUntold && _begun == _links.Count && (IsEmpty || _links[^1].State == LayerState.Open);

    /// <summary>Whether the handler has not been told yet that the connection is open.</summary>
    public bool OpenIsUntold { get; set; }

    /// <summary>Whether the handler has pushed a layer: what it left unconsumed is that layer's.</summary>
    public bool TakesRest { get; private set; }

    /// <summary>Since when a layer has been opening; null if all are open.</summary>
    public TimeSpan? OpeningSince { get; private set; }

    /// <summary>Whether anything came that was meant for a layer.</summary>
    public bool HasReceived { get; private set; }

    /// <summary>Whether all layers have said their end to the peer.</summary>
    public bool HasFinished { get; private set; }

    /// <summary>Whether bytes of the handler's were wrapped since it was last told that all is sent.</summary>
    public bool OwesFlushed { get; set; }

    /// <summary>
    /// The length of the arrays that are rented for the wire, and of those that the layers had rented at the last turn's end. Any thread
    /// may ask.
    /// </summary>
    public long HeldBytes => Wire.HeldBytes + _heldAboveWire;

    /// <summary>Bytes that came and that no layer wanted.</summary>
    public long Dropped { get; private set; }

    public CloseReason FailureReason { get; private set; }

    public string? Failure { get; private set; }

    public Exception? Fault { get; private set; }

    /// <summary>Whether a layer may take some of what came.</summary>
    public bool HasUntried
    {
        get
        {
            for (int at = 0; at < _begun; at++)
            {
                if (_links[at] is { HasUntried: true, Unwraps: true })
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Bytes that came and are no input of the handler's yet.</summary>
    public int CameBytes
    {
        get
        {
            int sum = 0;
            foreach (LayerLink link in _links)
            {
                sum += link.Came.Length;
            }

            return sum;
        }
    }

    /// <summary>Bytes that layers have written and the kernel has not taken.</summary>
    public int Pending
    {
        get
        {
            int sum = IsEmpty ? Wire.Pending : 0;
            foreach (LayerLink link in _links)
            {
                sum += link.Wire.Pending;
            }

            return sum;
        }
    }

    /// <summary>Adds a layer on top; it begins with <see cref="Begin"/>.</summary>
    /// <param name="layer">This connection's own.</param>
    /// <param name="wire">What it writes into; the layer below, or the peer, takes it from there.</param>
    public void Add(StreamLayer layer, OutputBuffer wire) => _links.Add(new LayerLink(layer, wire, _pool));

    /// <summary>Adds a layer on top that takes what the handler leaves unconsumed.</summary>
    public void Push(StreamLayer layer, OutputBuffer wire)
    {
        Add(layer, wire);
        TakesRest = HasReceived = true;
        HasFinished = false;
    }

    /// <summary>What the handler left unconsumed is the new layer's.</summary>
    public void TakeRest(ref UnconsumedInput rest)
    {
        TakesRest = false;
        _ = _links[^1].Receive(rest.Span);
        rest.Release();
    }

    /// <summary>Bytes came from the peer.</summary>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        HasReceived = true;
        Dropped += _links[0].Receive(bytes);
    }

    /// <summary>Begins the layers that can begin: each when the one below is open.</summary>
    /// <param name="plain">The handler's input.</param>
    public LayerNews Begin(ref UnconsumedInput plain)
    {
        while (_begun < _links.Count && (_begun == 0 || _links[_begun - 1].State == LayerState.Open))
        {
            LayerLink link = _links[_begun];
            _begun++;
            LayerState state;
            try
            {
                state = link.Layer.Begin(link.Wire);
            }
            catch (Exception fault)
            {
                return Faulted(fault);
            }

            LayerNews news = Enter(_begun - 1, state, ref plain);
            if (news != LayerNews.None)
            {
                return news;
            }
        }

        return LayerNews.None;
    }

    /// <summary>Lets the highest layer that may take some unwrap one unit.</summary>
    /// <param name="plain">The handler's input.</param>
    public LayerNews Unwrap(ref UnconsumedInput plain)
    {
        int at = _begun - 1;
        while (!_links[at].HasUntried || !_links[at].Unwraps)
        {
            at--;
        }

        LayerLink link = _links[at];
        bool isTop = at == _links.Count - 1;
        ref UnconsumedInput above = ref (isTop ? ref plain : ref _links[at + 1].Came);
        LayerState before = link.State;
        Unwrapped step;
        try
        {
            Span<byte> room = above.GetSpan(link.Layer.MaxUnitBytes);
            step = link.Layer.Unwrap(link.Came.Span, room, link.Wire);
            if ((uint)step.Consumed > (uint)link.Came.Length || (uint)step.Produced > (uint)room.Length)
            {
                throw new InvalidOperationException(
                    $"{link.Layer} was given {link.Came.Length} bytes and room for {room.Length}, and says that it consumed "
                    + $"{step.Consumed} and produced {step.Produced}.");
            }
        }
        catch (Exception fault)
        {
            return Faulted(fault);
        }

        above.Advance(step.Produced);
        link.Came.Consume(step.Consumed);
        link.HasUntried = !link.Came.IsEmpty && (step.Consumed > 0 || step.Produced > 0 || step.State != before);
        if (!isTop)
        {
            _links[at + 1].HasUntried |= step.Produced > 0;
        }

        if (step.State == before)
        {
            return !link.HasUntried && link.Came.Length >= link.Layer.MaxUnitBytes
                ? Fail(link, CloseReason.LayerFailed, $"more than {link.Layer.MaxUnitBytes} bytes came, and no whole unit was in them")
                : LayerNews.None;
        }

        LayerNews news = Enter(at, step.State, ref plain);
        return news == LayerNews.None ? Begin(ref plain) : news;
    }

    /// <summary>Wraps what the handler has written, as far as the layers are open.</summary>
    /// <param name="plain">The handler's output.</param>
    /// <param name="finish">Whether the handler will write no more: each layer says its end to the peer.</param>
    public LayerNews Wrap(OutputBuffer plain, bool finish)
    {
        if (HasFinished)
        {
            return LayerNews.None;
        }

        HasFinished = finish;
        try
        {
            OutputBuffer source = plain;
            for (int at = _links.Count - 1; at >= 0; at--)
            {
                LayerLink link = _links[at];
                if (at < _begun && link.Wraps)
                {
                    OwesFlushed |= source == plain && plain.Pending > 0;
                    link.Wrap(source);
                    if (finish)
                    {
                        link.Layer.Finish(link.Wire);
                    }
                }

                source = link.Wire;
            }

            return LayerNews.None;
        }
        catch (Exception fault)
        {
            return Faulted(fault);
        }
    }

    /// <summary>Whether the handler's input has ended, when all that came is unwrapped.</summary>
    /// <param name="wireEnded">Whether the transport has ended.</param>
    public PlainEnd EndAfter(bool wireEnded)
    {
        bool ended = wireEnded;
        foreach (LayerLink link in _links)
        {
            if (link.State == LayerState.PeerFinished)
            {
                ended = true;
            }
            else if (ended)
            {
                return PlainEnd.Truncated;
            }
        }

        return ended ? PlainEnd.Ended : PlainEnd.Open;
    }

    /// <summary>A turn ends: notes whether a layer is opening, and how much memory all of them hold.</summary>
    public void Note(TimeSpan now)
    {
        OpeningSince = IsOpen ? null : OpeningSince ?? now;
        long held = 0;
        foreach (LayerLink link in _links)
        {
            held += (link.Wire == Wire ? 0 : link.Wire.HeldBytes) + link.Came.HeldBytes;
        }

        _heldAboveWire = held;
    }

    /// <summary>Gives all memory back.</summary>
    public void Release()
    {
        Wire.Release();
        foreach (LayerLink link in _links)
        {
            link.Wire.Release();
            link.Came.Release();
            try
            {
                link.Layer.Closed();
            }
            catch (Exception fault)
            {
                Fault ??= fault;
            }
        }
    }

    /// <summary>A layer is in another state than before, or in its first.</summary>
    private LayerNews Enter(int at, LayerState state, ref UnconsumedInput plain)
    {
        LayerLink link = _links[at];
        switch (link.State, state)
        {
            case (LayerState.Opening, LayerState.Opening):
                return LayerNews.None;
            case (LayerState.Opening, LayerState.Open):
                link.State = state;
                _connection.Learn(link.Layer.Peer(_connection.Peer), link.Layer.Fact);
                return LayerNews.None;
            case (LayerState.Opening, LayerState.Transparent):
                _connection.Learn(link.Layer.Peer(_connection.Peer), link.Layer.Fact);
                Remove(at, ref plain);
                return LayerNews.None;
            case (LayerState.Opening or LayerState.Open, LayerState.PeerFinished):
                link.State = state;
                Dropped += link.Came.Length;
                link.Came.Release();
                return LayerNews.None;
            case (_, LayerState.Failed):
                return Fail(link, CloseReason.LayerFailed, link.Layer.Failure);
            case (_, LayerState.Refused):
                return Fail(link, CloseReason.PeerRefused, link.Layer.Failure);
            default:
                return Faulted(new InvalidOperationException($"{link.Layer} went from {link.State} to {state}, which no layer may."));
        }
    }

    /// <summary>What came behind its last unit is the next one's, and what it has written is sent first.</summary>
    private void Remove(int at, ref UnconsumedInput plain)
    {
        LayerLink link = _links[at];
        _links.RemoveAt(at);
        _begun--;
        if (at < _links.Count)
        {
            _ = _links[at].Receive(link.Came.Span);
            _links[at].Wire = link.Wire;
        }
        else
        {
            plain.Append(link.Came.Span);
            if (at > 0)
            {
                _links[at - 1].Wrap(link.Wire);
                link.Wire.Release();
            }
        }

        link.Came.Release();
        link.Layer.Closed();
    }

    private LayerNews Fail(LayerLink link, CloseReason reason, string? why)
    {
        link.State = LayerState.Failed;
        FailureReason = reason;
        Failure = why;
        return LayerNews.Failed;
    }

    private LayerNews Faulted(Exception fault)
    {
        Fault = fault;
        FailureReason = fault is PendingOutputException ? CloseReason.PendingOutputExceeded : CloseReason.LayerFailed;
        return LayerNews.Faulted;
    }
}
