namespace Doorbell.Sessions;

/// <summary>What a session does in a turn where it has layers: unwraps before its handler is called, and wraps behind it.</summary>
internal static class LayeredTurns
{
    /// <summary>Makes the layers of a connection that is not open yet.</summary>
    public static void AddLayers(
        this ref HandlerSide side, IReadOnlyList<Func<ConnectionInfo, StreamLayer>> layers, ConnectionInfo connection)
    {
        OutputBuffer wire = NewWire(in side);
        side.Layers = new LayerChain(connection, wire, side.Output.Pool) { OpenIsUntold = true };
        for (int i = 0; i < layers.Count; i++)
        {
            side.Layers.Add(layers[i](connection), i == 0 ? wire : NewWire(in side));
        }
    }

    /// <exception cref="InvalidOperationException">The peer has ended, or a layer was pushed in this call.</exception>
    public static void RequireMayPush(this in HandlerSide side)
    {
        if (!side.State.PeerMaySend || side.State.EndIsTold)
        {
            throw new InvalidOperationException("The peer of this connection has ended: no layer can be opened with it.");
        }

        if (side.Layers is { TakesRest: true })
        {
            throw new InvalidOperationException("A layer has been pushed in this call already: the next one can be when it is open.");
        }
    }

    /// <summary>Puts a layer on top: what is written already is below it.</summary>
    public static void Push(this ref HandlerSide side, StreamLayer layer, ConnectionInfo connection)
    {
        side.Output.ReclaimLent();
        bool isPending = side.Output.Pending > 0;
        if (side.Layers is { IsEmpty: true } leaving)
        {
            // What layers wrote that have taken themselves out is sent first.
            while (side.Output.Pending > 0)
            {
                ReadOnlyMemory<byte> written = side.Output.Outgoing;
                leaving.Wire.Write(written.Span);
                side.Output.Taken(written.Length);
            }
        }
        else
        {
            side.Layers ??= new LayerChain(connection, side.Output, side.Output.Pool);
            OutputBuffer below = side.Output;
            side.Output = new OutputBuffer(below.Pool, side.Limits.MaxPendingOutput);
            below.Limit = MaxWirePending(side.Limits);
            side.Layers.Push(layer, below);
            side.Layers.OwesFlushed |= isPending;
            return;
        }

        leaving.Push(layer, leaving.Wire);
        leaving.OwesFlushed |= isPending;
    }

    /// <summary>Unwraps and offers, until a layer needs more bytes, or the handler takes no input.</summary>
    public static void Unwrap(this ref HandlerSide side, Turn turn)
    {
        LayerChain layers = side.Layers!;
        while (side.State.IsOpen)
        {
            if (layers.TakesRest)
            {
                layers.TakeRest(ref side.Rest);
                side.State.Input = side.State.Input == InputState.Yielding ? InputState.Yielding : InputState.Stalled;
            }

            if (!OnLayerNews(ref side, layers.Begin(ref side.Rest), turn))
            {
                return;
            }

            if (side.State.Input == InputState.Stalled)
            {
                side.State.Input = InputState.Offered;
                if (!side.Rest.IsEmpty)
                {
                    side.OfferRest(turn);
                    if (side.State.Input != InputState.Offered)
                    {
                        return;
                    }

                    continue;
                }
            }

            if (side.State.Input != InputState.Offered || !layers.HasUntried)
            {
                return;
            }

            if (!side.TakesInput || !side.TryTakeStep())
            {
                side.State.Input = side.TakesInput ? InputState.Yielding : InputState.Stalled;
                return;
            }

            int before = side.Rest.Length;
            if (OnLayerNews(ref side, layers.Unwrap(ref side.Rest), turn) && side.Rest.Length > before)
            {
                side.State.IsHeard = true;
                side.State.Input = InputState.Stalled;
            }
        }
    }

    /// <summary>What the handler has written leaves through the layers; those that are done leave themselves.</summary>
    public static void Wrap(this ref HandlerSide side)
    {
        if (side.Layers!.IsEmpty)
        {
            side.Layers = side.Layers.Wire.Pending == 0 && !side.Layers.OpenIsUntold ? null : side.Layers;
        }
        else if (side.State.Phase is SessionPhase.Open or SessionPhase.Closing)
        {
            bool finish = side.State.WantsFinish && (side.Layers.IsOpen || side.State.Phase == SessionPhase.Closing);
            if (side.Layers.Wrap(side.Output, finish) == LayerNews.Faulted)
            {
                side.Terminate(side.Layers.FailureReason, side.Layers.Fault);
            }
        }

        side.Output.Limit = Math.Max(0, side.Limits.MaxPendingOutput - (side.Layers?.Pending ?? 0));
    }

    /// <summary>What has happened in a layer; false if the session closes.</summary>
    private static bool OnLayerNews(ref HandlerSide side, LayerNews news, Turn turn)
    {
        switch (news)
        {
            case LayerNews.Failed:
                side.BeginClose(side.Layers!.FailureReason);
                return false;
            case LayerNews.Faulted:
                side.Terminate(side.Layers!.FailureReason, side.Layers.Fault);
                return false;
        }

        if (side.Layers!.OpenIsDue)
        {
            side.Layers.OpenIsUntold = false;
            side.Call(HandlerEvent.Open, turn);
            if (side.State is { IsOpen: true, IsDraining: true })
            {
                side.Call(HandlerEvent.Drain, turn);
            }
        }

        return side.State.IsOpen;
    }

    private static int MaxWirePending(StreamLimits limits) => (int)Math.Min(int.MaxValue, (2L * limits.MaxPendingOutput) + (64 * 1024));

    /// <summary>What a layer writes into: larger than the handler's, by what wrapping may add.</summary>
    private static OutputBuffer NewWire(in HandlerSide side) => new(side.Output.Pool, MaxWirePending(side.Limits));
}
