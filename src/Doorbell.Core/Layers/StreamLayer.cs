namespace Doorbell.Sessions;

/// <summary>
/// What stands between the wire and a handler: it turns the bytes that come into those that the handler is offered, and those that the
/// handler writes into those that are sent. It may talk to the peer before the handler hears of the connection, may refuse the peer, and
/// may end the stream in its own way. TLS is such a layer, and the PROXY protocol is one.
/// </summary>
/// <remarks>
/// As pure as a handler is: no socket, no thread, no clock. One for each connection; exactly one lane calls it, one call at a time. A
/// call must not block. An exception ends this connection with a reset as <see cref="CloseReason.LayerFailed"/>. Where layers stand on
/// each other, "wire" is what the layer below takes for plain.
/// </remarks>
public abstract class StreamLayer
{
    /// <summary>
    /// Most bytes of the wire that <see cref="Unwrap"/> may need before it consumes any, and most plain bytes that it may produce at
    /// once. A peer that makes it wait for more has failed.
    /// </summary>
    public abstract int MaxUnitBytes { get; }

    /// <summary>What the layer has found out of the peer, such as a <see cref="ProxyHeader"/>; asked once, when it has opened.</summary>
    public virtual object? Fact => null;

    /// <summary>Why it has failed or refuses the peer, for a log; null if it has not.</summary>
    public string? Failure { get; protected set; }

    /// <summary>The connection is established, and all layers below are open.</summary>
    /// <param name="wire">Where bytes for the peer are written.</param>
    /// <returns>By default <see cref="LayerState.Opening"/>: it waits for the peer.</returns>
    public virtual LayerState Begin(OutputBuffer wire) => LayerState.Opening;

    /// <summary>
    /// Bytes have come. It takes at most one unit, such as a record of TLS, and is called again as long as it takes or produces some.
    /// </summary>
    /// <param name="came">All that it has not consumed so far; valid during the call only.</param>
    /// <param name="plain">Room for <see cref="MaxUnitBytes"/> at least.</param>
    /// <param name="wire">Where answers to the peer are written, such as an alert.</param>
    /// <returns>With nothing consumed, nothing produced and the state unchanged it is called again when more has come.</returns>
    public abstract Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire);

    /// <summary>The handler has written; called once a turn, only when <see cref="LayerState.Open"/> or the peer has finished.</summary>
    /// <param name="plain">All that it has written; all is taken.</param>
    /// <param name="wire">Where the wrapped bytes are written. By default they are the same.</param>
    public virtual void Wrap(ReadOnlySpan<byte> plain, OutputBuffer wire) => wire.Write(plain);

    /// <summary>The handler has finished or closes: says so to the peer before the FIN. Called once, if at all, and last.</summary>
    /// <param name="wire">Where the notice is written. By default there is none.</param>
    public virtual void Finish(OutputBuffer wire)
    {
    }

    /// <summary>Who is at the other end, as far as this layer knows. Asked once, when it has opened.</summary>
    /// <param name="seen">Who it is to the layer below.</param>
    public virtual PeerAddress Peer(PeerAddress seen) => seen;

    /// <summary>The connection is closed, or the layer has taken itself out: what it holds is given back. Called once, and last.</summary>
    public virtual void Closed()
    {
    }
}
