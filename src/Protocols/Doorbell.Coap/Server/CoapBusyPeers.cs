namespace Doorbell.Coap.Server;

/// <summary>
/// The peers to which a message of the server's own is outstanding, a separate response or a notification: they get no other one meanwhile
/// (NSTART, RFC 7252 section 4.7, RFC 7641 section 4.5.1).
/// </summary>
internal sealed class CoapBusyPeers
{
    private readonly HashSet<PeerAddress> _all = [];

    public bool Contains(PeerAddress peer) => _all.Contains(peer);

    public void Add(PeerAddress peer) => _all.Add(peer);

    public void Remove(PeerAddress peer) => _all.Remove(peer);
}
