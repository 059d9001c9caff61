namespace Doorbell;

/// <summary>
/// Who is connected, and to what: what a handler may know of its connection beside its bytes. One for each connection; it may be kept as
/// long as the connection lasts. Only the lane that carries the connection may use it, which is where handlers run.
/// </summary>
public abstract class ConnectionInfo
{
    /// <summary>A number that no other connection of this process has, from 1; for logs.</summary>
    public abstract long Id { get; }

    /// <summary>The endpoint it came in at, or, of a connection that we opened, the one we asked for.</summary>
    public abstract Endpoint Door { get; }

    /// <summary>Who is at the other end.</summary>
    public abstract PeerAddress Peer { get; }

    /// <summary>Our own address, which at a door for several addresses is the one that the peer asked.</summary>
    public abstract PeerAddress Local { get; }
}
