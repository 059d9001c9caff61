namespace Doorbell.Sessions;

/// <summary>What a session asks of its lane. Several may be set; the lane does them in the order listed here.</summary>
[Flags]
public enum Want
{
    /// <summary>Nothing but to wait: for a ring, for <see cref="StreamSession.Deadline"/>, for the drain.</summary>
    None = 0,

    /// <summary>Reset the connection (SO_LINGER on, 0 seconds; then close). Overrides all others.</summary>
    Abort = 1,

    /// <summary>Close the connection. Overrides all others but <see cref="Abort"/>.</summary>
    Close = 2,

    /// <summary>Send <see cref="StreamSession.Outgoing"/> and report with <see cref="StreamSession.Sent"/>.</summary>
    Send = 4,

    /// <summary>Half-close (shutdown(2) with SHUT_WR) and report with <see cref="StreamSession.Finished"/>.</summary>
    Finish = 8,

    /// <summary>
    /// Receive and report with <see cref="StreamSession.Received(ReadOnlySpan{byte}, TimeSpan)"/> or
    /// <see cref="StreamSession.ReceivedEnd"/>.
    /// </summary>
    Receive = 16,

    /// <summary>
    /// There is more to do without any input: serve the lane's other sessions once, then call
    /// <see cref="StreamSession.Continue"/>.
    /// </summary>
    Yield = 32,

    /// <summary>
    /// Make the connections that <see cref="StreamSession.TryTakeConnect"/> gives. Done before all others, <see cref="Close"/> and
    /// <see cref="Abort"/> too: the new connections may outlive this one.
    /// </summary>
    Connect = 64,
}
