using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// A connection that a handler has asked for with <see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>. Its own handler is
/// told of everything: <see cref="StreamHandler.OnOpen"/> when it is connected; if it can't be connected,
/// <see cref="StreamHandler.OnClosed"/> alone, with <see cref="CloseReason.ConnectFailed"/>.
/// </summary>
/// <remarks>Any thread may call any member.</remarks>
public sealed class OutgoingConnection
{
    private readonly ConnectRequest _request;
    private volatile ConnectFailure? _failure;

    internal OutgoingConnection(ConnectRequest request) => _request = request;

    /// <summary>Where it connects to.</summary>
    public Endpoint Endpoint => _request.Endpoint;

    /// <summary>Why it could not be connected; null if it was, or is not yet known. Set before the handler is told.</summary>
    public ConnectFailure? Failure
    {
        get => _failure;
        internal set => _failure = value;
    }

    /// <summary>
    /// Gives up connecting: the handler is told <see cref="CloseReason.ConnectFailed"/>. Of a connection that is connected already nothing
    /// changes: its handler ends it.
    /// </summary>
    public void Cancel() => _request.Cancel();
}
