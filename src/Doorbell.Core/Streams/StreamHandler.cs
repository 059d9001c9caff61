namespace Doorbell;

/// <summary>
/// One connection's protocol, as a function of bytes: it never sees a socket, a thread or a clock. Only
/// <see cref="OnBytes"/> is required. A service makes one handler for each connection.
/// </summary>
/// <remarks>
/// Exactly one lane calls a handler, one call at a time, though not always on the same thread. A call must not block: code that
/// awaits belongs in a PipeHandler. An exception ends this connection with a reset and is counted; no other connection notices.
/// </remarks>
public abstract class StreamHandler
{
    /// <summary>
    /// Whether nothing is half done for this peer. Asked while the server drains, when no input is left unconsumed, no output is
    /// pending and the connection isn't parked: then an idle one is told <see cref="OnDrained"/>. Asked too when both sides have
    /// ended and the connection isn't parked: then an idle one is closed. By default true; a handler that keeps a long answer for
    /// <see cref="OnFlushed"/>, or works elsewhere without parking, says false until it is done.
    /// </summary>
    public virtual bool IsIdle => true;

    /// <summary>
    /// The connection has been accepted, or, if we opened it, connected, and its layers are open. A side that speaks first writes its
    /// greeting here.
    /// </summary>
    /// <param name="turn">The moment, the output and the peer.</param>
    public virtual Next OnOpen(Turn turn) => Next.Stay;

    /// <summary>Whether input is taken though <see cref="StreamLimits.OutputHighMark"/> bytes of output are pending.</summary>
    internal virtual bool ReceivesWhileSending => false;

    /// <summary>Whether nothing is lost that the handler works at if the connection makes room for another while no byte moves.</summary>
    internal virtual bool MayMakeRoom => IsIdle;

    /// <summary>Bytes have arrived.</summary>
    /// <param name="input">
    /// All bytes not consumed so far. Valid during the call only: copy what must outlive it, or leave it unconsumed.
    /// </param>
    /// <param name="turn">The moment, the output and the peer.</param>
    /// <returns>
    /// How many bytes were taken and what comes next. As long as some are taken and some remain it is called again at once;
    /// with 0 taken it is called when there is more.
    /// </returns>
    public abstract Step OnBytes(ReadOnlySpan<byte> input, Turn turn);

    /// <summary>
    /// The peer has half-closed: nothing more will come. Told once, after <see cref="OnBytes"/> takes no more.
    /// </summary>
    /// <param name="rest">What was left unconsumed; valid during the call only.</param>
    /// <param name="turn">The moment, the output and the peer.</param>
    /// <returns>By default <see cref="Next.Close"/>; anything milder keeps the sending side open.</returns>
    public virtual Next OnEnd(ReadOnlySpan<byte> rest, Turn turn) => Next.Close;

    /// <summary>All output has been taken by the kernel: a long answer writes its next piece here.</summary>
    /// <param name="turn">The moment, the output and the peer.</param>
    public virtual Next OnFlushed(Turn turn) => Next.Stay;

    /// <summary>
    /// The <see cref="Turn.Bell"/> was rung. A ring is a hint: several rings may arrive as one, and one may arrive for what is
    /// already done, so look again before un-parking.
    /// </summary>
    /// <param name="turn">The moment, the output and the peer.</param>
    public virtual Next OnRing(Turn turn) => Next.More;

    /// <summary>The <see cref="Turn.Alarm"/> is due; it has been cleared.</summary>
    /// <param name="turn">The moment, the output and the peer.</param>
    public virtual Next OnAlarm(Turn turn) => Next.Stay;

    /// <summary>
    /// The server drains. A parked handler, and one whose peer reads no answers, hears it before it is offered what has arrived; any other
    /// hears it after. A connection with nothing half done (see <see cref="IsIdle"/>) is told <see cref="OnDrained"/> after this
    /// call; one with an unfinished message or parked work goes on until that is answered or the drain's deadline.
    /// </summary>
    /// <param name="turn">The moment, the output and the peer.</param>
    public virtual Next OnDrain(Turn turn) => Next.Stay;

    /// <summary>
    /// The server drains, and nothing is half done for this peer: <see cref="IsIdle"/> was true. A last word to the peer is written
    /// here. Told again, at every later event, while the handler keeps the connection open and says that it is idle.
    /// </summary>
    /// <param name="turn">The moment, the output and the peer.</param>
    /// <returns>By default <see cref="Next.Close"/>.</returns>
    public virtual Next OnDrained(Turn turn) => Next.Close;

    /// <summary>
    /// The connection is over. Told once, always, last; also if <see cref="OnOpen"/> was never told, since a layer did not open or our
    /// connection could not be made.
    /// </summary>
    /// <param name="reason">Why.</param>
    public virtual void OnClosed(CloseReason reason)
    {
    }
}
