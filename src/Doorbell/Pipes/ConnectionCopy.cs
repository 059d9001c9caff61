namespace Doorbell.Pipes;

/// <summary>
/// What was known of a connection when it opened. The lane's own <see cref="ConnectionInfo"/> is for the lane's thread alone, and its
/// descriptor's number may be another connection's when that one has ended; this copy may be used on any thread, at any time.
/// </summary>
internal sealed class ConnectionCopy(ConnectionInfo connection) : ConnectionInfo(connection)
{
    public override long Id { get; } = connection.Id;

    public override Endpoint Door { get; } = connection.Door;

    public override PeerAddress TransportPeer { get; } = connection.TransportPeer;

    public override PeerAddress Local { get; } = connection.Local;
}
