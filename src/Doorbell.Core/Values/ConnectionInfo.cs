using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// Who is connected, and to what: what a handler may know of its connection beside its bytes. One for each connection; it may be kept as
/// long as the connection lasts. Only the lane that carries the connection may use it, which is where handlers run.
/// </summary>
public abstract class ConnectionInfo
{
    /// <summary>What layers have found out; null if there is nothing.</summary>
    private ConnectionFacts? _facts;

    /// <summary>Of a connection whose layers have found out nothing yet.</summary>
    protected ConnectionInfo()
    {
    }

    /// <summary>With all that layers have found out of another one so far.</summary>
    /// <param name="connection">Another one of the same connection.</param>
    protected ConnectionInfo(ConnectionInfo connection) => _facts = connection._facts;

    /// <summary>A number that no other connection of this process has, from 1; for logs.</summary>
    public abstract long Id { get; }

    /// <summary>The endpoint it came in at, or, of a connection that we opened, the one we asked for.</summary>
    public abstract Endpoint Door { get; }

    /// <summary>
    /// Who is at the other end: the <see cref="TransportPeer"/>, or whom a layer has named in its place, such as the client for which a
    /// proxy speaks. Layers open before <see cref="StreamHandler.OnOpen"/>, and after the handler was made.
    /// </summary>
    public PeerAddress Peer => _facts is { } facts ? facts.Peer : TransportPeer;

    /// <summary>Who is at the other end of the transport: the proxy, if there is one.</summary>
    public abstract PeerAddress TransportPeer { get; }

    /// <summary>Our own address, which at a door for several addresses is the one that the peer asked.</summary>
    public abstract PeerAddress Local { get; }

    /// <summary>
    /// Asks the system how the transport is just now, which costs a call of the kernel. A handler needs it that must not reset the
    /// connection before the peer has what was sent. On Linux TCP connections tell it; all others say <see cref="TransportState.Unknown"/>.
    /// </summary>
    public virtual TransportState ReadTransport() => TransportState.Unknown;

    /// <summary>What a layer has found out, such as a <see cref="ProxyHeader"/>; null if none has.</summary>
    /// <typeparam name="T">The kind of fact.</typeparam>
    public T? Get<T>()
        where T : class => _facts?.Get<T>();

    /// <summary>A layer has opened.</summary>
    internal void Learn(PeerAddress peer, object? fact)
    {
        if (fact is not null || peer != Peer)
        {
            _facts = new ConnectionFacts(peer, fact, _facts);
        }
    }
}
