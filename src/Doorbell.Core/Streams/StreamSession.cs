using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Doorbell.Sessions;

/// <summary>
/// The narrow waist: one connection, between its handler and the lane that carries it. The lane asks what the session
/// <see cref="Wants"/>, does it, and tells it what happened; the session keeps the unconsumed input, the pending output, the
/// limits, the deadline, the half-closes, the back-pressure and the drain. It is pure: no socket, no thread, no clock.
/// </summary>
/// <remarks>
/// Exactly one lane may touch a session, one call at a time. Every call may change <see cref="Wants"/>, <see cref="Deadline"/>
/// and <see cref="Outgoing"/>. All times are on one monotonic scale, the lane's. When the lane has closed the connection and no
/// operation uses the session's memory any more, it calls <see cref="Closed"/>, last and always. A lane that reports what can't be
/// ends this session alone: <see cref="CloseReason.InvariantViolated"/>, and <see cref="Fault"/> says what it was.
/// </remarks>
public sealed class StreamSession
{
    private readonly Bell _bell;
    private HandlerSide _side;
    private DateTime _utcOrigin;

    /// <summary>A session for a connection just accepted; nothing has been told to the handler yet.</summary>
    /// <param name="handler">This connection's own.</param>
    /// <param name="limits">The service's limits, validated.</param>
    /// <param name="connection">Who is connected, and to what.</param>
    /// <param name="bell">The lane's: rings for this connection.</param>
    /// <param name="ledger">Where it is counted.</param>
    /// <param name="pool">Where its memory comes from and goes back to.</param>
    /// <param name="layers">What makes this connection's layers, the first one next to the wire; null for none.</param>
    public StreamSession(
        StreamHandler handler,
        StreamLimits limits,
        ConnectionInfo connection,
        Bell bell,
        Ledger ledger,
        ArrayPool<byte> pool,
        IReadOnlyList<Func<ConnectionInfo, StreamLayer>>? layers = null)
    {
        _side = new HandlerSide(handler, limits, ledger, pool);
        Connection = connection;
        if (layers is { Count: > 0 })
        {
            _side.AddLayers(layers, connection);
        }

        _bell = bell;
    }

    /// <summary>A session for a connection that a handler asked for and that is connected now.</summary>
    /// <param name="request">As <see cref="TryTakeConnect"/> gave it.</param>
    /// <param name="connection">Who is connected, and to what.</param>
    /// <param name="bell">The lane's: rings for this connection.</param>
    /// <param name="ledger">Where it is counted.</param>
    /// <param name="pool">Where its memory comes from and goes back to.</param>
    public StreamSession(ConnectRequest request, ConnectionInfo connection, Bell bell, Ledger ledger, ArrayPool<byte> pool)
        : this(request.Handler, request.Limits, connection, bell, ledger, pool, request.Layers) => _side.Requests = new(request);

    /// <summary>Who is connected, and to what.</summary>
    public ConnectionInfo Connection { get; }

    /// <summary>Who is at the other end.</summary>
    public PeerAddress Peer => Connection.Peer;

    /// <summary>What the handler threw, once it did, or what the lane reported that can't be; for the log.</summary>
    public Exception? Fault => _side.Fault;

    /// <summary>Why the session ended or is ending; <see cref="CloseReason.Completed"/> while it is not.</summary>
    public CloseReason Reason => _side.Reason;

    /// <summary>Bytes received so far, up to the last turn. Any thread may read it.</summary>
    public long BytesReceived => _side.BytesReceived;

    /// <summary>Bytes that the kernel has taken so far, up to the last turn. Any thread may read it.</summary>
    public long BytesSent => _side.BytesSent;

    /// <summary>When it was opened, on the lane's monotonic scale. Any thread may read it.</summary>
    public TimeSpan OpenedAt => _side.Deadlines.OpenedAt;

    /// <summary>When bytes moved last, on the lane's monotonic scale. Any thread may read it.</summary>
    public TimeSpan LastActivity => _side.Deadlines.LastActivity;

    /// <summary>For how long the peer has made no progress; zero while its handler works. Any thread may ask.</summary>
    public TimeSpan RestAt(TimeSpan now) => _side.RestAt(now);

    /// <summary>The memory that it holds for output and input. Any thread may read it.</summary>
    public long HeldBytes => _side.HeldBytes();

    /// <summary>What it is at. Any thread may read it, and may then hear of the moment before.</summary>
    public ConnectionState State => !_side.State.IsOpen ? ConnectionState.Closing
        : _side.State.IsParked ? ConnectionState.Parked
        : _side.Output.Pending > 0 ? ConnectionState.Sending
        : ConnectionState.Reading;

    /// <summary>What the lane is to do now.</summary>
    public Want Wants => (_side.Requests is { HasNew: true } ? Want.Connect : Want.None) | _side.State.Phase switch
    {
        SessionPhase.New => Want.None,
        SessionPhase.Open => SendingWants
            | (_side.State.Input == InputState.Yielding ? Want.Yield : 0)
            | (_side.State.PeerMaySend && _side.TakesInput && _side.State.Input == InputState.Offered ? Want.Receive : 0),
        // close(2) sends the FIN itself; only a peer that may still send makes it worth doing apart.
        SessionPhase.Closing when !_side.State.PeerMaySend && _side.ToSend == 0 => Want.Close,
        SessionPhase.Closing when _side.State.Sending == SendingSide.Finished && !AwaitsPeersEnd => Want.Close,
        SessionPhase.Closing => SendingWants | (_side.State.PeerMaySend ? Want.Receive : 0),
        SessionPhase.Aborting => Want.Abort,
        _ => Want.Close,
    };

    /// <summary>When <see cref="Tick"/> is to be called at the latest; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan Deadline => _side.State.Phase switch
    {
        SessionPhase.Open => Sessions.Deadline.Earlier(_side.AlarmAt, _side.FirstLimit().Due),
        SessionPhase.Closing when _side.State.Sending == SendingSide.Finished => _side.Deadlines.CloseDue(_side.Limits),
        SessionPhase.Closing => _side.FirstLimit().Due,
        _ => TimeSpan.MaxValue,
    };

    /// <summary>
    /// What is to be sent next. The memory stays valid and unmoved, whatever else the session is told, until
    /// <see cref="Sent"/> has reported all of it, <see cref="TakeBack"/> was called or <see cref="Closed"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Outgoing => _side.Wire.Outgoing;

    /// <summary>Whether the handler has its <see cref="Turn.Bell"/>: until then nobody rings it, and no lane need listen.</summary>
    public bool BellTaken => _side.State.IsBellTaken;

    internal Bell Bell
    {
        get
        {
            _side.State.IsBellTaken = true;
            return _bell;
        }
    }

    internal TimeSpan? Alarm
    {
        get => _side.AlarmAt == TimeSpan.MaxValue ? null : _side.AlarmAt;
        set => _side.AlarmAt = value ?? TimeSpan.MaxValue;
    }

    internal HeldMemory HeldMemory => _side.MemoryOfHandler();

    /// <summary>Whether <see cref="Drain"/> has told it that the server drains.</summary>
    public bool Draining => _side.State.IsDraining;

    internal OutputBuffer WritableOutput => _side.State is { IsOpen: true, Sending: SendingSide.Open }
        ? _side.Output
        : throw new InvalidOperationException("The sending side of this connection has been finished: nothing can be written after it.");

    /// <summary>Why a layer has failed or refuses the peer; null if none has.</summary>
    public string? LayerFailure => _side.Layers?.Failure;

    private Want SendingWants => _side.ToSend > 0 ? Want.Send : _side.MayFinish ? Want.Finish : Want.None;

    /// <summary>A peer that was silent all the time is not waited for.</summary>
    private bool AwaitsPeersEnd => _side.State.PeerMaySend
        && _side.Reason is not (CloseReason.IdleTimeout or CloseReason.FirstByteTimeout or CloseReason.OpeningTimeout
            or CloseReason.MadeRoom);

    /// <summary>The connection is established.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    public void Opened(TimeSpan now, DateTimeOffset utcNow)
    {
        if (!_side.State.TryMoveTo(SessionPhase.Open))
        {
            _side.Violate("a connection was reported to be open twice");
            return;
        }

        _utcOrigin = utcNow.UtcDateTime - now;
        _side.Deadlines.Opened(now);
        CountOpened();
        _side.Open(new Turn(this, now));
    }

    /// <summary>The kernel gave these bytes.</summary>
    /// <param name="bytes">Lent for the call; what the handler leaves is copied. Not empty.</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Received(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        if (Arrived(bytes.Length, now))
        {
            if (_side.IsLayered)
            {
                _side.TakeWire(bytes);
            }
            else if (_side.Rest.IsEmpty)
            {
                _side.OfferFirst(bytes, new Turn(this, now));
            }
            else
            {
                _side.Rest.Append(bytes);
                _side.OfferRest(new Turn(this, now));
            }

            _side.Complete(new Turn(this, now));
        }
    }

    /// <summary>
    /// The kernel gave many bytes, which are neither copied to stand behind the unconsumed rest nor, if the handler passes them on as they
    /// are, to be sent: the rest is moved in front of them, and <see cref="Outgoing"/> may lie in the lane's own memory. The lane sends
    /// what it can and then says <see cref="TakeBack"/>. Where there are layers all is copied.
    /// </summary>
    /// <param name="memory">The lane's, lent until <see cref="TakeBack"/>; the session may write before <paramref name="start"/>.</param>
    /// <param name="start">Where the bytes begin, which go to the memory's end. At least one.</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Received(Memory<byte> memory, int start, TimeSpan now)
    {
        if (_side.Layers is not null || _side.Rest.Length > Math.Min(start, memory.Length - start))
        {
            Received(memory.Span[start..], now);
        }
        else if (Arrived(memory.Length - start, now))
        {
            Span<byte> input = memory.Span[(start - _side.Rest.Length)..];
            _side.Rest.MoveTo(input);
            _side.State.Input = InputState.Offered;
            _side.Output.Lend(memory);
            _side.OfferFirst(input, new Turn(this, now));
            _side.Complete(new Turn(this, now));
        }
    }

    /// <summary>The lane needs again what it has lent: what has not been sent of it is copied.</summary>
    public void TakeBack() => _side.Output.ReclaimLent();

    /// <summary>The peer has half-closed: recv(2) answered 0.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void ReceivedEnd(TimeSpan now)
    {
        if (!IsLive())
        {
            return;
        }

        if (!_side.State.PeerMaySend)
        {
            _side.Violate("the peer's end was reported twice");
            return;
        }

        _side.State.EndReceiving();
        _side.State.IsHeard = true;
        _side.Deadlines.Active(now);
        _side.Refresh(new Turn(this, now));
    }

    /// <summary>The kernel has taken the first <paramref name="count"/> bytes of <see cref="Outgoing"/>.</summary>
    /// <param name="count">Bytes; not more than was outgoing.</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Sent(int count, TimeSpan now)
    {
        if (!IsLive())
        {
            return;
        }

        OutputBuffer wire = _side.Wire;
        if ((uint)count > (uint)wire.OutgoingBytes)
        {
            _side.Violate($"{count} bytes were reported to be sent, where {wire.OutgoingBytes} were outgoing");
            return;
        }

        wire.Taken(count);
        _side.Deadlines.Sent(count, now);
        _side.Tally.BytesSent += count;
        _side.Renew();
        if (_side.State is { IsOpen: true, Sending: SendingSide.Open } && _side.IsFlushed())
        {
            _side.Call(HandlerEvent.Flushed, new Turn(this, now));
        }

        _side.Complete(new Turn(this, now));
    }

    /// <summary>The lane has half-closed the connection, as <see cref="Want.Finish"/> asked.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Finished(TimeSpan now)
    {
        if (!IsLive())
        {
            return;
        }

        if (!_side.State.MayHaveFinished || (_side.State.Phase <= SessionPhase.Closing && _side.ToSend > 0))
        {
            _side.Violate("the connection was reported to be half-closed, which was not wanted");
            return;
        }

        _side.State.Finish();
        _side.Deadlines.Finished(now);
        _side.Refresh(new Turn(this, now));
    }

    /// <summary>Time has passed; does what is due. Early calls are harmless.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Tick(TimeSpan now)
    {
        if (!IsLive())
        {
            return;
        }

        _side.Renew();
        if (_side.HandlerIsOpen && _side.AlarmAt <= now)
        {
            Alarm = null;
            _side.Call(HandlerEvent.Alarm, new Turn(this, now));
        }

        if (_side.State.Phase is SessionPhase.Open or SessionPhase.Closing)
        {
            _side.EnforceLimits(new Turn(this, now));
        }

        _side.Complete(new Turn(this, now));
    }

    /// <summary>The bell was rung.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Ring(TimeSpan now)
    {
        if (IsLive())
        {
            _side.CallIfOpen(HandlerEvent.Ring, new Turn(this, now));
        }
    }

    /// <summary>The lane has served the others, as <see cref="Want.Yield"/> asked.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Continue(TimeSpan now)
    {
        if (IsLive())
        {
            _side.State.Input = _side.State.Input == InputState.Yielding ? InputState.Stalled : _side.State.Input;
            _side.Refresh(new Turn(this, now));
        }
    }

    /// <summary>
    /// The server drains. While the session wants <see cref="Want.Receive"/>, the lane first hands over what the kernel already holds: then
    /// a request that has arrived is answered. A session that takes no input now (its peer reads no answers, or its handler is parked) is
    /// told at once, and once more when it has taken what the kernel holds. It closes no connection before that.
    /// </summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <returns>Whether the lane is to tell it again, as soon as the session wants to receive and the kernel holds nothing.</returns>
    public bool Drain(TimeSpan now)
    {
        if (!IsLive())
        {
            return false;
        }

        bool isNew = !_side.State.IsDraining;
        _side.State.IsInputTaken |= (Wants & Want.Receive) != 0;
        if (isNew)
        {
            BeginDrain(new Turn(this, now));
        }
        else
        {
            _side.Refresh(new Turn(this, now));
        }

        return _side.State is { IsOpen: true, PeerMaySend: true, IsInputTaken: false };
    }

    /// <summary>Makes room for another connection, if the peer is at rest: <see cref="CloseReason.MadeRoom"/>.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <returns>False if it stays: the peer has made progress (<see cref="RestAt"/>), or the handler says that it is not idle.</returns>
    public bool TryMakeRoom(TimeSpan now) => IsLive() && _side.TryMakeRoom(new Turn(this, now));

    /// <summary>Resets the connection, so that its memory is free: <see cref="CloseReason.BufferBudgetExceeded"/>.</summary>
    /// <param name="held">What it held when it was chosen (<see cref="HeldBytes"/>).</param>
    /// <param name="now">The lane's monotonic time.</param>
    /// <returns>False if it stays: it holds less by now, or ends already.</returns>
    public bool TryGiveBack(long held, TimeSpan now) => IsLive() && _side.TryGiveBack(held, new Turn(this, now));

    /// <summary>The transport failed, or the server's drain is over: nothing more can be received or sent.</summary>
    /// <param name="reason">Why.</param>
    public void Fail(CloseReason reason) => _side.Fail(reason);

    /// <summary>
    /// The lane has closed the connection and nothing uses the session's memory any more: gives it back and tells the handler.
    /// </summary>
    public void Closed()
    {
        if (!_side.State.TryMoveTo(SessionPhase.Closed))
        {
            _side.Violate("the connection was reported to be closed twice");
        }
        else
        {
            _side.Close();
        }
    }

    /// <summary>The next connection to make, as <see cref="Want.Connect"/> asked.</summary>
    /// <param name="request">The lane's to carry out; it may outlive this session.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeConnect([NotNullWhen(true)] out ConnectRequest? request)
    {
        request = null;
        return _side.Requests is { } requests && requests.TryTake(out request);
    }

    internal OutgoingConnection Connect(Endpoint endpoint, StreamHandler handler, ConnectOptions options) =>
        (_side.Requests ??= new SessionRequests(own: null)).Add(new ConnectRequest(endpoint, handler, options, _side.Limits));

    internal DateTimeOffset UtcAt(TimeSpan now) => new(_utcOrigin + now);

    internal void Push(StreamLayer layer)
    {
        _side.RequireMayPush();
        _ = WritableOutput;
        _side.Push(layer, Connection);
    }

    internal void CountRequests(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _side.Tally.Requests += count;
    }

    private void BeginDrain(Turn turn)
    {
        _side.State.IsDraining = true;
        if (_side.Requests is { IsOutgoing: true } requests)
        {
            // The lane has to hear the bell, though the handler may not have taken it.
            requests.Draining(Bell);
        }

        _side.CallIfOpen(HandlerEvent.Drain, turn);
    }

    /// <summary>Whether bytes are the handler's: what comes after the end of a conversation is counted and dropped.</summary>
    private bool Arrived(int count, TimeSpan now)
    {
        if (!IsLive())
        {
            return false;
        }

        _side.Tally.BytesReceived += count;
        if (!_side.State.PeerMaySend)
        {
            _side.Violate($"{count} bytes were reported to be received after the peer's end");
        }

        if (!_side.State.IsOpen)
        {
            _side.Tally.BytesDiscarded += count;
            _side.EndTurn();
            return false;
        }

        _side.State.IsHeard |= !_side.IsLayered;
        _side.Deadlines.Received(count, now);
        _side.Renew();
        return true;
    }

    private void CountOpened()
    {
        if (_side.Requests is { IsOutgoing: true } requests)
        {
            // A server may speak when it likes: there is no first byte to wait for.
            requests.Opened();
            _side.State.IsHeard = true;
            _side.Ledger.ConnectionConnected();
        }
        else
        {
            _side.Ledger.ConnectionOpened();
        }
    }

    /// <summary>Whether the lane may report anything: between <see cref="Opened"/> and <see cref="Closed"/>.</summary>
    private bool IsLive()
    {
        if (_side.State.IsLive)
        {
            return true;
        }

        _side.Violate(_side.State.Phase == SessionPhase.New
            ? "something was reported of a connection before it was open"
            : "something was reported of a connection after it was closed");
        return false;
    }
}
