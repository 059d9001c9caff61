namespace Doorbell.Sessions;

/// <content>How the handler is called, and what its answers change.</content>
public sealed partial class StreamSession
{
    private enum Moment : byte
    {
        Open,
        Flushed,
        Ring,
        Alarm,
        Drain,
    }

    private void Refresh(TimeSpan now)
    {
        _stepsLeft = _limits.MaxStepsPerRound;
        Complete(now);
    }

    /// <summary>Goes on until only the lane can bring something new, then counts the turn.</summary>
    private void Complete(TimeSpan now)
    {
        if (_phase == Phase.Open)
        {
            if (_stalled && !_yieldWanted)
            {
                OfferRest(now);
            }

            if (_ended && !_endDispatched && !_parked && !_stalled && _phase == Phase.Open)
            {
                DispatchEnd(now);
            }

            if (_phase == Phase.Open && (BothSidesEnded || (Draining && DrainMayClose && !AwaitsFirstRequest(now) && IsAtRest())))
            {
                BeginClose(CloseReason.Completed);
            }
        }

        _arriving.Watch(_phase == Phase.Open && !_rest.IsEmpty && !_parked && !_stalled, now);
        _leaving.Watch(_output.Pending > 0, now);
        EndTurn();
    }

    private bool BothSidesEnded => _finished && _endDispatched && !_parked;

    /// <summary>Nothing is half done: a drain may close the connection here.</summary>
    private bool IsAtRest()
    {
        try
        {
            return _rest.IsEmpty && !_parked && _output.Pending == 0 && _handler.IsIdle;
        }
        catch (Exception fault)
        {
            Faulted(fault);
            return false;
        }
    }

    private void OfferRest(TimeSpan now)
    {
        _stalled = false;
        _rest.Consume(Offer(_rest.Span, now));
        GuardMessageSize();
    }

    private void GuardMessageSize()
    {
        if (_phase == Phase.Open && !_stalled && !_parked && _rest.Length > _limits.MaxMessageBytes)
        {
            Terminate(CloseReason.MessageTooLarge);
        }
    }

    /// <summary>Calls OnBytes as long as it takes some and may go on; answers how many bytes it took in all.</summary>
    private int Offer(ReadOnlySpan<byte> input, TimeSpan now)
    {
        int taken = 0;
        while (taken < input.Length)
        {
            if (_parked || _output.Pending >= _limits.OutputHighMark)
            {
                _stalled = true;
                break;
            }

            if (_stepsLeft-- <= 0)
            {
                _stalled = _yieldWanted = true;
                break;
            }

            Step step = CallOnBytes(input[taken..], now);
            taken += step.Consumed;
            Apply(step.Next);
            if (_phase != Phase.Open || (step.Consumed == 0 && !_parked))
            {
                break;
            }
        }

        return taken;
    }

    private Step CallOnBytes(ReadOnlySpan<byte> input, TimeSpan now)
    {
        try
        {
            Step step = _handler.OnBytes(input, new Turn(this, now));
            if ((uint)step.Consumed <= (uint)input.Length)
            {
                return step;
            }

            throw new InvalidOperationException($"OnBytes was offered {input.Length} bytes and says it consumed {step.Consumed}.");
        }
        catch (Exception fault)
        {
            return new Step(0, Faulted(fault));
        }
    }

    private void DispatchEnd(TimeSpan now)
    {
        _endDispatched = true;
        Next next;
        try
        {
            next = _handler.OnEnd(_rest.Span, new Turn(this, now));
        }
        catch (Exception fault)
        {
            next = Faulted(fault);
        }

        _rest.Release();
        Apply(next);
    }

    private void Call(Moment moment, TimeSpan now)
    {
        RestartIdleTimeIfParked(now);
        Turn turn = new(this, now);
        Next next;
        try
        {
            next = moment switch
            {
                Moment.Open => _handler.OnOpen(turn),
                Moment.Flushed => _handler.OnFlushed(turn),
                Moment.Ring => _handler.OnRing(turn),
                Moment.Alarm => _handler.OnAlarm(turn),
                _ => _handler.OnDrain(turn),
            };
        }
        catch (Exception fault)
        {
            next = Faulted(fault);
        }

        Apply(next);
        if (next == Next.More && _phase == Phase.Open && !_yieldWanted)
        {
            // What the handler refused before, it may take now.
            _stalled = !_rest.IsEmpty;
        }
    }

    private void Apply(Next next)
    {
        if (_phase != Phase.Open)
        {
            return;
        }

        switch (next)
        {
            case Next.More:
                _parked = false;
                break;
            case Next.Park:
                _parked = true;
                break;
            case Next.Finish:
                _parked = false;
                _finishing = true;
                break;
            case Next.Close:
                BeginClose(CloseReason.Completed);
                break;
            case Next.Abort:
                Terminate(CloseReason.HandlerAborted);
                break;
        }
    }

    private Next Faulted(Exception fault)
    {
        Fault = fault;
        Terminate(fault is PendingOutputException ? CloseReason.PendingOutputExceeded : CloseReason.HandlerFault);
        return Next.Abort;
    }

    private void BeginClose(CloseReason reason)
    {
        _phase = Phase.Closing;
        _reason = reason;
        Alarm = null;
        _yieldWanted = false;
    }

    private void Terminate(CloseReason reason)
    {
        _phase = Phase.Aborting;
        _reason = reason;
        Alarm = null;
    }
}
