namespace Doorbell.Sessions;

/// <summary>How far a <see cref="StreamLayer"/> has come.</summary>
public enum LayerState
{
    /// <summary>It talks to the peer, or waits for it: nothing reaches the handler yet.</summary>
    Opening,

    /// <summary>Bytes pass in both directions.</summary>
    Open,

    /// <summary>
    /// It has done its work before the first byte of the handler's, and takes itself out: what comes and goes is no business of it any
    /// more. May follow <see cref="Opening"/> alone.
    /// </summary>
    Transparent,

    /// <summary>The peer has said that it will send no more: the handler is told the end. More that comes is dropped.</summary>
    PeerFinished,

    /// <summary>
    /// The peer broke the layer's protocol. What the layer has written is still sent, then the connection is closed as
    /// <see cref="CloseReason.LayerFailed"/>.
    /// </summary>
    Failed,

    /// <summary>As <see cref="Failed"/>, of a peer that is not served at all: <see cref="CloseReason.PeerRefused"/>.</summary>
    Refused,
}
