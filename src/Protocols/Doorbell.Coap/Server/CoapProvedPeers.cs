namespace Doorbell.Coap.Server;

/// <summary>The peers that have proved their addresses recently. When there is no room, the oldest proof is forgotten.</summary>
internal sealed class CoapProvedPeers(int capacity, TimeSpan lifetime)
{
    private readonly Dictionary<PeerAddress, TimeSpan> _until = [];
    private readonly Queue<(PeerAddress Peer, TimeSpan Until)> _oldestFirst = new();

    public int Count => _until.Count;

    public bool Contains(PeerAddress peer, TimeSpan now) => _until.TryGetValue(peer, out TimeSpan until) && until > now;

    public void Add(PeerAddress peer, TimeSpan now)
    {
        // A second proof would be a second entry in the queue.
        if (Contains(peer, now))
        {
            return;
        }

        Expire(now);
        if (_oldestFirst.Count == capacity)
        {
            _until.Remove(_oldestFirst.Dequeue().Peer);
        }

        _until[peer] = now + lifetime;
        _oldestFirst.Enqueue((peer, now + lifetime));
    }

    public void Expire(TimeSpan now)
    {
        while (_oldestFirst.TryPeek(out (PeerAddress Peer, TimeSpan Until) oldest) && oldest.Until <= now)
        {
            _until.Remove(_oldestFirst.Dequeue().Peer);
        }
    }
}
