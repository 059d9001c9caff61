namespace Doorbell;

/// <summary>Why a connection ended.</summary>
public enum CloseReason
{
    /// <summary>In order: the handler closed it, or both sides ended.</summary>
    Completed,

    /// <summary>The peer reset the connection (ECONNRESET, EPIPE).</summary>
    PeerReset,

    /// <summary>The transport failed otherwise (ETIMEDOUT, EHOSTUNREACH …).</summary>
    TransportFailed,

    /// <summary>No byte moved for <see cref="StreamLimits.IdleTimeout"/>.</summary>
    IdleTimeout,

    /// <summary>The handler left more than <see cref="StreamLimits.MaxMessageBytes"/> unconsumed.</summary>
    MessageTooLarge,

    /// <summary>The handler wrote more than <see cref="StreamLimits.MaxPendingOutput"/> that the peer had not taken.</summary>
    PendingOutputExceeded,

    /// <summary>The handler threw, or answered a step that can't be.</summary>
    HandlerFault,

    /// <summary>The handler asked for <see cref="Next.Abort"/>.</summary>
    HandlerAborted,

    /// <summary>The server's drain ended before the connection did.</summary>
    DrainDeadline,

    /// <summary>Nothing came within <see cref="StreamLimits.FirstByteTimeout"/>.</summary>
    FirstByteTimeout,

    /// <summary>It was open for <see cref="StreamLimits.MaxLifetime"/>.</summary>
    LifetimeExceeded,

    /// <summary>A message came, or an answer was taken, more slowly than <see cref="StreamLimits.MinDataRate"/>.</summary>
    TooSlow,

    /// <summary>The process that served it was killed or crashed.</summary>
    ProcessDied,

    /// <summary>
    /// The session was told what can't be, such as bytes behind the peer's end: a fault of the lane that carries it. The connection is
    /// reset; no other connection notices.
    /// </summary>
    InvariantViolated,

    /// <summary>The server was told to abort this connection: <c>Server.CloseAsync</c>.</summary>
    ServerClosed,

    /// <summary>A connection that we wanted to open could not be made: it was never open.</summary>
    ConnectFailed,

    /// <summary>A layer failed: the peer broke its protocol, as by a PROXY header that can't be read or a handshake that failed.</summary>
    LayerFailed,

    /// <summary>A layer refused the peer: it is none of those that are served there.</summary>
    PeerRefused,

    /// <summary>
    /// The transport ended before the peer had said its end to a layer: bytes may be missing, so the handler was told no end.
    /// </summary>
    Truncated,

    /// <summary>Its layers were not open within <see cref="StreamLimits.OpeningTimeout"/>.</summary>
    OpeningTimeout,

    /// <summary>
    /// The server had as many connections as it may have, and this one had been at rest for the longest: it made room for a new one
    /// (<see cref="AtLimit.MakeRoom"/>).
    /// </summary>
    MadeRoom,

    /// <summary>
    /// The server's connections held more memory than they may together (<c>ServerOptions.MaxBufferedBytes</c>), and this one held the
    /// most: output that its peer had not taken, or input that its handler had not consumed. It was reset.
    /// </summary>
    BufferBudgetExceeded,
}
