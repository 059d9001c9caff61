namespace Doorbell.Coap.Server;

/// <summary>The peers that have proved their addresses recently. Without room an old proof is forgotten, of a host with many.</summary>
internal sealed class CoapProvedPeers(int capacity, TimeSpan lifetime)
{
    private readonly CoapPeerTable<PeerAddress, TimeSpan> _until = new(capacity);

    public int Count => _until.Count;

    public bool Contains(PeerAddress peer, TimeSpan now) => _until.TryFind(peer, out int place) && _until.At(place) > now;

    public void Add(PeerAddress peer, TimeSpan now)
    {
        // A second proof would be a second entry, and one that is over may still be there.
        Expire(now);
        if (_until.TryFind(peer, out _))
        {
            return;
        }

        CoapPeerHost host = CoapPeerHost.Of(peer);
        if (_until.IsFull)
        {
            _until.EvictFor(host);
        }

        _until.At(_until.Add(host, peer)) = now + lifetime;
    }

    public void Expire(TimeSpan now)
    {
        while (Count > 0 && _until.Oldest <= now)
        {
            _until.RemoveOldest();
        }

        _until.TrimIfEmpty();
    }
}
