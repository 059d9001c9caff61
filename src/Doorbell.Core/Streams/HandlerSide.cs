using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>
/// The half of a session that faces its handler: what the handler is offered and told, and what its answers change. The other half is
/// <see cref="StreamSession"/>, which faces the lane and guards what is reported. A struct, so that a session is one object.
/// </summary>
internal struct HandlerSide
{
    /// <summary>The table.</summary>
    public SessionState State;

    /// <summary>What the handler has left unconsumed.</summary>
    public UnconsumedInput Rest;

    /// <summary>What has been counted since the last turn's end.</summary>
    public StreamTally Tally;

    public SessionDeadlines Deadlines;

    /// <summary>Connections that we open; null if the session has nothing to do with any.</summary>
    public SessionRequests? Requests;

    /// <summary>What the handler keeps besides; null until it asks for it.</summary>
    public HeldMemory? Memory;

    private readonly HandlerCalls _handler;
    private readonly StreamLimits _limits;
    private readonly Ledger _ledger;
    private int _stepsLeft;

    public HandlerSide(StreamHandler handler, StreamLimits limits, Ledger ledger, ArrayPool<byte> pool)
    {
        _handler = new HandlerCalls(handler);
        _limits = limits;
        _ledger = ledger;
        Output = new OutputBuffer(pool, limits.MaxPendingOutput);
        Rest = new UnconsumedInput(pool);
        AlarmAt = TimeSpan.MaxValue;
    }

    /// <summary>What the handler writes into.</summary>
    public OutputBuffer Output { get; set; }

    /// <summary>What stands between the wire and the handler; null, if nothing does, and no other cost.</summary>
    public LayerChain? Layers { get; set; }

    /// <summary>Whether bytes that come are a layer's.</summary>
    public readonly bool IsLayered => Layers is { IsEmpty: false };

    /// <summary>Whether the handler may be called: it has been told, or is being told, that the connection is open.</summary>
    public readonly bool HandlerIsOpen => State.IsOpen && Layers is not { OpenIsUntold: true };

    /// <summary>What is sent to the peer.</summary>
    public readonly OutputBuffer Wire => Layers is null ? Output : Layers.Wire;

    /// <summary>Bytes that can be sent to the peer now.</summary>
    public readonly int ToSend => Wire.Pending;

    /// <summary>Bytes that are written, wrapped or not, and not sent.</summary>
    public readonly int Pending => Layers is null ? Output.Pending : Output.Pending + Layers.Pending;

    /// <summary>Whether a FIN is to be sent when nothing is pending: behind what the layers say at their end.</summary>
    public readonly bool MayFinish => State.WantsFinish && Layers is null or { IsEmpty: true } or { HasFinished: true };

    public CloseReason Reason { get; private set; }

    public Exception? Fault { get; private set; }

    /// <summary>Bytes received so far, up to the last turn.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Bytes that the kernel has taken so far, up to the last turn.</summary>
    public long BytesSent { get; private set; }

    /// <summary>When the handler's alarm is due; <see cref="TimeSpan.MaxValue"/> for never.</summary>
    public TimeSpan AlarmAt { get; set; }

    public readonly StreamLimits Limits => _limits;

    public readonly Ledger Ledger => _ledger;

    /// <summary>Whether the handler would be offered more now.</summary>
    public readonly bool TakesInput => !State.IsParked && (Pending < _limits.OutputHighMark || _handler.ReceivesWhileSending);

    /// <summary>Bytes have come for the handler, which lie behind an empty rest.</summary>
    public void OfferFirst(ReadOnlySpan<byte> bytes, Turn turn) => Keep(bytes[Offer(bytes, turn)..]);

    /// <summary>The connection is established.</summary>
    public void Open(Turn turn)
    {
        if (Layers is null)
        {
            Call(HandlerEvent.Open, turn);
        }

        Complete(turn);
    }

    /// <summary>Bytes have come for the lowest layer; <see cref="Complete"/> unwraps them.</summary>
    public void TakeWire(ReadOnlySpan<byte> bytes)
    {
        Layers!.Receive(bytes);
        State.Input = State.Input == InputState.Yielding ? InputState.Stalled : State.Input;
    }

    /// <summary>Whether all that the handler wrote is sent, and it has not been told so.</summary>
    public readonly bool IsFlushed()
    {
        if (Pending > 0)
        {
            return false;
        }

        if (Layers is null)
        {
            return true;
        }

        bool owed = Layers.OwesFlushed;
        Layers.OwesFlushed = false;
        return owed;
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (State.IsOpen)
        {
            Rest.Append(rest);
            GuardMessageSize();
        }
        else
        {
            Tally.BytesDiscarded += rest.Length;
        }
    }

    /// <summary>A new round: the budget of steps is whole again.</summary>
    public void Renew() => _stepsLeft = _limits.MaxStepsPerRound;

    /// <summary>Takes one of the round's steps; false if there is none left.</summary>
    public bool TryTakeStep() => _stepsLeft-- > 0;

    /// <summary>Something has changed that may let the session go on.</summary>
    public void Refresh(Turn turn)
    {
        Renew();
        Complete(turn);
    }

    /// <summary>Goes on until only the lane can bring something new, then counts the turn.</summary>
    public void Complete(Turn turn)
    {
        if (State.IsOpen)
        {
            if (Layers is not null)
            {
                this.Unwrap(turn);
            }
            else if (State.Input == InputState.Stalled)
            {
                OfferRest(turn);
            }

            if (State is { IsOpen: true, EndIsTold: false, Handler: HandlerState.Reading, Input: InputState.Offered }
                && (State.Receiving == ReceivingSide.Ended || Layers is not null))
            {
                DispatchEndIfDue(turn);
            }

            if (State.IsOpen && BothSidesEnded && IsHandlerIdle())
            {
                BeginClose(CloseReason.Completed);
            }
            else if (State.IsOpen && DrainMayClose && !Deadlines.AwaitsFirstRequest(in State, turn.Now) && IsAtRest())
            {
                Call(HandlerEvent.Drained, turn);
            }
        }

        if (Layers is not null)
        {
            this.Wrap();
        }

        bool isWaiting = State is { IsOpen: true, Handler: HandlerState.Reading, Input: InputState.Offered };
        Layers?.Note(turn.Now);
        Deadlines.Watch(isWaiting ? Rest.Length + (Layers?.CameBytes ?? 0) : 0, ToSend > 0, turn.Now);
        EndTurn();
    }

    /// <summary>Tells the handler of its input's end, if that has come.</summary>
    private void DispatchEndIfDue(Turn turn)
    {
        PlainEnd end = IsLayered
            ? Layers!.EndAfter(!State.PeerMaySend)
            : State.PeerMaySend ? PlainEnd.Open : PlainEnd.Ended;
        if (end == PlainEnd.Open)
        {
            return;
        }

        if (end == PlainEnd.Ended && HandlerIsOpen)
        {
            DispatchEnd(turn);
        }
        else
        {
            // Who connects and ends without a byte, as a load balancer's health check does, has not been cut off.
            BeginClose(end == PlainEnd.Truncated && Layers!.HasReceived ? CloseReason.Truncated : CloseReason.Completed);
        }
    }

    private readonly bool BothSidesEnded =>
        State is { Sending: SendingSide.Finished, EndIsTold: true, Handler: HandlerState.Reading };

    /// <summary>A drain closes nothing while the kernel may hold a request that came before it.</summary>
    private readonly bool DrainMayClose =>
        State.IsDraining && (State.IsInputTaken || !State.PeerMaySend) && Requests is not { MayClose: false };

    /// <summary>Nothing is half done: a drain may close the connection here.</summary>
    private bool IsAtRest() => Rest.IsEmpty && !State.IsParked && Pending == 0 && Layers is not { CameBytes: > 0 }
        && (!HandlerIsOpen || IsHandlerIdle());

    private bool IsHandlerIdle()
    {
        bool isIdle = _handler.IsIdle(out Exception? fault);
        if (fault is not null)
        {
            Faulted(fault);
        }

        return isIdle;
    }

    public void OfferRest(Turn turn)
    {
        State.Input = InputState.Offered;
        Rest.Consume(Offer(Rest.Span, turn));
        GuardMessageSize();
    }

    private void GuardMessageSize()
    {
        if (State is { IsOpen: true, Handler: HandlerState.Reading, Input: InputState.Offered }
            && Rest.Length > _limits.MaxMessageBytes
            && Layers is not { TakesRest: true })
        {
            Terminate(CloseReason.MessageTooLarge);
        }
    }

    /// <summary>Calls OnBytes as long as it takes some and may go on; answers how many bytes it took in all.</summary>
    private int Offer(ReadOnlySpan<byte> input, Turn turn)
    {
        int taken = 0;
        while (taken < input.Length)
        {
            if (!TakesInput)
            {
                State.Input = InputState.Stalled;
                break;
            }

            if (!TryTakeStep())
            {
                State.Input = InputState.Yielding;
                break;
            }

            Step step = _handler.OnBytes(input[taken..], turn, out Exception? fault);
            taken += step.Consumed;
            Apply(step.Next, fault);
            if (!State.IsOpen || (step.Consumed == 0 && !State.IsParked) || Layers is { TakesRest: true })
            {
                break;
            }
        }

        Deadlines.Progress(taken, turn.Now);
        return taken;
    }

    private void DispatchEnd(Turn turn)
    {
        State.TellEnd();
        Next next = _handler.OnEnd(Rest.Span, turn, out Exception? fault);
        Rest.Release();
        Apply(next, fault);
    }

    public void CallIfOpen(HandlerEvent what, Turn turn)
    {
        Renew();
        if (HandlerIsOpen)
        {
            Call(what, turn);
        }

        Complete(turn);
    }

    public void Call(HandlerEvent what, Turn turn)
    {
        RestartIdleTimeIfParked(turn);
        Next next = _handler.On(what, turn, out Exception? fault);
        Apply(next, fault);
        if (next == Next.More && State.IsOpen && State.Input != InputState.Yielding)
        {
            // What the handler refused before, it may take now.
            State.Input = Rest.IsEmpty && Layers is not { HasUntried: true } ? InputState.Offered : InputState.Stalled;
        }
    }

    private void Apply(Next next, Exception? fault)
    {
        if (fault is not null)
        {
            Faulted(fault);
            return;
        }

        if (!State.IsOpen)
        {
            return;
        }

        switch (next)
        {
            case Next.More:
                State.Handler = HandlerState.Reading;
                break;
            case Next.Park:
                State.Handler = HandlerState.Parked;
                break;
            case Next.Finish:
                State.Handler = HandlerState.Reading;
                State.BeginFinish();
                break;
            case Next.Close:
                BeginClose(CloseReason.Completed);
                break;
            case Next.Abort:
                Terminate(CloseReason.HandlerAborted);
                break;
        }
    }

    /// <summary>While parked the handler works: idle time is counted from when that ends, not from when it began.</summary>
    public void RestartIdleTimeIfParked(Turn turn)
    {
        if (State is { IsOpen: true, Handler: HandlerState.Parked })
        {
            Deadlines.Active(turn.Now);
        }
    }

    /// <summary>Whether the handler lets the connection make room.</summary>
    public bool IsInterruptible()
    {
        bool isInterruptible = _handler.MayMakeRoom(out Exception? fault);
        if (fault is not null)
        {
            Faulted(fault);
        }

        return isInterruptible;
    }

    /// <summary>Which limit is reached first, and when.</summary>
    public readonly (TimeSpan Due, CloseReason Reason) FirstLimit()
    {
        (TimeSpan Due, CloseReason Reason) first = Deadlines.First(in State, _limits, Layers is not null);
        if (State.IsOpen && Layers is { OpeningSince: { } since })
        {
            TimeSpan late = Deadline.After(since, _limits.OpeningTimeout);
            first = late < first.Due ? (late, CloseReason.OpeningTimeout) : first;
        }

        return first;
    }

    public void EnforceLimits(Turn turn)
    {
        if (State is { Phase: SessionPhase.Closing, Sending: SendingSide.Finished })
        {
            if (State.PeerMaySend && Deadlines.CloseDue(_limits) <= turn.Now)
            {
                // The peer has had its time to end; our FIN is out and the answer delivered or not by TCP: just close.
                State.EndReceiving();
            }

            return;
        }

        RestartIdleTimeIfParked(turn);
        (TimeSpan due, CloseReason reason) = FirstLimit();
        if (due > turn.Now)
        {
            return;
        }

        bool stuck = reason == CloseReason.TooSlow || (reason == CloseReason.IdleTimeout && ToSend > 0);
        if (stuck || State.Phase == SessionPhase.Closing)
        {
            Terminate(reason);
        }
        else if (reason == CloseReason.Completed)
        {
            // No request is on its way: from here on the drain treats it like any other.
            State.IsHeard = true;
        }
        else
        {
            BeginClose(reason);
        }
    }

    private void Faulted(Exception fault) =>
        Terminate(fault is PendingOutputException ? CloseReason.PendingOutputExceeded : CloseReason.HandlerFault, fault);

    public void BeginClose(CloseReason reason) => End(SessionPhase.Closing, reason);

    public void Terminate(CloseReason reason, Exception? fault = null)
    {
        Fault = fault ?? Fault;
        End(SessionPhase.Aborting, reason);
    }

    private void End(SessionPhase phase, CloseReason reason)
    {
        if (!State.TryMoveTo(phase))
        {
            Violate($"{State.Phase} can't become {phase}");
            return;
        }

        Reason = reason;
        AlarmAt = TimeSpan.MaxValue;
    }

    /// <summary>The transport is gone; nothing changes if the session was already to be reset.</summary>
    public void Fail(CloseReason reason) => Reason = State.TryMoveTo(SessionPhase.Gone) ? reason : Reason;

    /// <summary>Gives all memory back and tells the handler.</summary>
    public void Close()
    {
        Tally.BytesUnsent += Pending;
        Tally.BytesDiscarded += Rest.Length;
        if (Layers is not null)
        {
            Tally.BytesDiscarded += Layers.CameBytes + Layers.Dropped;
            Layers.Release();
        }

        Output.Release();
        Rest.Release();
        Memory?.Close();
        _handler.OnClosed(Reason, out Exception? fault);
        if (fault is not null)
        {
            Fault ??= fault;
            Reason = CloseReason.HandlerFault;
        }

        EndTurn();
        Fault ??= Requests?.Close(_ledger);
        _ledger.ConnectionClosed(Reason);
    }

    /// <summary>Ends the session, of which something was reported that can't be.</summary>
    public void Violate(string what)
    {
        Fault ??= new InvalidOperationException($"The contract of a session was broken: {what}.");
        if (State.Phase == SessionPhase.Closed)
        {
            _ledger.CalledAfterClose();
            return;
        }

        Reason = CloseReason.InvariantViolated;
        AlarmAt = TimeSpan.MaxValue;
        _ = State.TryMoveTo(SessionPhase.Aborting);
    }

    public void EndTurn()
    {
        _ledger.Add(in Tally);
        BytesReceived += Tally.BytesReceived;
        BytesSent += Tally.BytesSent;
        Tally = default;
    }
}
