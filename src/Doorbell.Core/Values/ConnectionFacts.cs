namespace Doorbell.Sessions;

/// <summary>What a layer has found out of a connection.</summary>
/// <param name="peer">Who is at the other end.</param>
/// <param name="fact">What else; may be nothing.</param>
/// <param name="below">What the layers below have found out.</param>
internal sealed class ConnectionFacts(PeerAddress peer, object? fact, ConnectionFacts? below)
{
    public PeerAddress Peer => peer;

    /// <summary>The fact of a kind, the highest layer's first.</summary>
    public T? Get<T>()
        where T : class => fact as T ?? below?.Get<T>();
}
