namespace Doorbell.Sessions;

/// <summary>What a handler is told of, apart from bytes and the peer's end.</summary>
internal enum HandlerEvent : byte
{
    Open,
    Flushed,
    Ring,
    Alarm,
    Drain,

    /// <summary>The server drains, and nothing is half done for the peer.</summary>
    Drained,
}

/// <summary>Calls a handler, and catches what it throws: a fault ends the handler's own session and nothing else.</summary>
internal readonly struct HandlerCalls(StreamHandler handler)
{
    /// <inheritdoc cref="StreamHandler.ReceivesWhileSending"/>
    public bool ReceivesWhileSending => handler.ReceivesWhileSending;

    /// <summary>Offers input. An answer that can't be is a fault as an exception is.</summary>
    public Step OnBytes(ReadOnlySpan<byte> input, Turn turn, out Exception? fault)
    {
        fault = null;
        try
        {
            Step step = handler.OnBytes(input, turn);
            if ((uint)step.Consumed <= (uint)input.Length)
            {
                return step;
            }

            throw new InvalidOperationException($"OnBytes was offered {input.Length} bytes and says it consumed {step.Consumed}.");
        }
        catch (Exception thrown)
        {
            fault = thrown;
            return Step.Abort();
        }
    }

    public Next OnEnd(ReadOnlySpan<byte> rest, Turn turn, out Exception? fault)
    {
        fault = null;
        try
        {
            return handler.OnEnd(rest, turn);
        }
        catch (Exception thrown)
        {
            fault = thrown;
            return Next.Abort;
        }
    }

    public Next On(HandlerEvent what, Turn turn, out Exception? fault)
    {
        fault = null;
        try
        {
            return what switch
            {
                HandlerEvent.Open => handler.OnOpen(turn),
                HandlerEvent.Flushed => handler.OnFlushed(turn),
                HandlerEvent.Ring => handler.OnRing(turn),
                HandlerEvent.Alarm => handler.OnAlarm(turn),
                HandlerEvent.Drain => handler.OnDrain(turn),
                _ => handler.OnDrained(turn),
            };
        }
        catch (Exception thrown)
        {
            fault = thrown;
            return Next.Abort;
        }
    }

    public bool IsIdle(out Exception? fault) => Ask(static handler => handler.IsIdle, out fault);

    public bool MayMakeRoom(out Exception? fault) => Ask(static handler => handler.MayMakeRoom, out fault);

    private bool Ask(Func<StreamHandler, bool> question, out Exception? fault)
    {
        fault = null;
        try
        {
            return question(handler);
        }
        catch (Exception thrown)
        {
            fault = thrown;
            return false;
        }
    }

    public void OnClosed(CloseReason reason, out Exception? fault)
    {
        fault = null;
        try
        {
            handler.OnClosed(reason);
        }
        catch (Exception thrown)
        {
            fault = thrown;
        }
    }
}
