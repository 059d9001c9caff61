namespace Doorbell;

/// <summary>
/// A connection that a handler has asked for with <see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>. Its own handler is
/// told of everything: <see cref="StreamHandler.OnOpen"/> when it is connected; if it can't be connected,
/// <see cref="StreamHandler.OnClosed"/> alone, with <see cref="CloseReason.ConnectFailed"/>.
/// </summary>
/// <remarks>Any thread may call any member.</remarks>
public sealed class OutgoingConnection
{
    private volatile ConnectFailure? _failure;
    private volatile bool _isPending = true;
    private volatile bool _isCancelled;
    private Bell? _cancelBell;

    internal OutgoingConnection(Endpoint endpoint) => Endpoint = endpoint;

    /// <summary>Where it connects to.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>Why it could not be connected; null if it was, or is not yet known. Set before the handler is told.</summary>
    public ConnectFailure? Failure => _failure;

    /// <summary>Neither connected nor failed yet.</summary>
    internal bool IsPending => _isPending;

    internal bool IsCancelled => _isCancelled;

    /// <summary>
    /// Gives up connecting: the handler is told <see cref="CloseReason.ConnectFailed"/>. Of a connection that is connected already nothing
    /// changes: its handler ends it.
    /// </summary>
    public void Cancel()
    {
        _isCancelled = true;

        // The lane shows its bell and then looks whether this is cancelled; this is cancelled and then looks for the bell.
        Interlocked.MemoryBarrier();
        if (_isPending)
        {
            _cancelBell?.Ring();
        }
    }

    internal void RingWhenCancelled(Bell bell)
    {
        _cancelBell = bell;
        Interlocked.MemoryBarrier();
        if (_isCancelled)
        {
            bell.Ring();
        }
    }

    internal void Connected() => _isPending = false;

    internal void Fail(ConnectFailure failure)
    {
        _failure = failure;
        _isPending = false;
    }
}
