namespace Doorbell;

/// <summary>How <see cref="Server"/> closes a connection that it is asked to close.</summary>
public enum CloseMode
{
    /// <summary>
    /// As at a drain: the handler is told (<see cref="StreamHandler.OnDrain"/>), what is in flight is answered, and the connection is
    /// closed as soon as nothing is half done. A worker process is sent SIGTERM; a program finds the end of its input.
    /// </summary>
    Orderly,

    /// <summary>
    /// At once, with a reset; the ledger counts it as <see cref="CloseReason.ServerClosed"/>. A process that serves the connection is
    /// killed.
    /// </summary>
    Abort,
}
