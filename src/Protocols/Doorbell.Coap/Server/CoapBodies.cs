namespace Doorbell.Coap.Server;

/// <summary>A bounded table of bodies on their way in blocks. Adding one searches the whole table, so it is to be small.</summary>
internal sealed class CoapBodies(int capacity, int perHost, TimeSpan timeout)
{
    private readonly Dictionary<CoapBodyKey, CoapBody> _bodies = [];

    public int Count => _bodies.Count;

    /// <summary>Bytes of all of them.</summary>
    public long Bytes => _bodies.Values.Sum(static body => (long)body.Length);

    /// <summary>Bodies forgotten to make room.</summary>
    public long Evicted { get; private set; }

    /// <summary>Bodies forgotten, as nobody sent or asked for the next block in time.</summary>
    public long TimedOut { get; private set; }

    public CoapBody? Find(CoapBodyKey key, TimeSpan now)
    {
        if (!_bodies.TryGetValue(key, out CoapBody? body))
        {
            return null;
        }

        body.Touched = now;
        return body;
    }

    public void Remove(CoapBodyKey key) => _bodies.Remove(key);

    /// <summary>
    /// Adds a body, in the place of one of the same key. A host that has its share already, at all its ports together, loses the one of its
    /// bodies that was touched longest ago. If the table is full, the body of any host that was touched longest ago makes way if
    /// <paramref name="evictsOthers"/>; otherwise the new one is not added.
    /// </summary>
    /// <returns>Whether it was added.</returns>
    public bool TryAdd(CoapBodyKey key, CoapBody body, TimeSpan now, bool evictsOthers)
    {
        _bodies.Remove(key);
        CoapPeerHost host = CoapPeerHost.Of(key.Peer);
        int ofHost = 0;
        (CoapBodyKey Key, CoapBody Body)? oldestOfHost = null;
        (CoapBodyKey Key, CoapBody Body)? oldest = null;
        foreach ((CoapBodyKey each, CoapBody other) in _bodies)
        {
            oldest = oldest is { } first && first.Body.Touched <= other.Touched ? oldest : (each, other);
            if (CoapPeerHost.Of(each.Peer) == host)
            {
                ofHost++;
                oldestOfHost = oldestOfHost is { } own && own.Body.Touched <= other.Touched ? oldestOfHost : (each, other);
            }
        }

        (CoapBodyKey Key, CoapBody Body)? victim =
            ofHost >= perHost ? oldestOfHost : _bodies.Count < capacity ? null : evictsOthers ? oldest : oldestOfHost;
        if (victim is { } goes)
        {
            _bodies.Remove(goes.Key);
            Evicted++;
        }

        if (_bodies.Count >= capacity)
        {
            return false;
        }

        body.Touched = now;
        _bodies.Add(key, body);
        return true;
    }

    public void Expire(TimeSpan now)
    {
        // Removing does not disturb the enumeration (Dictionary, since .NET Core 3).
        foreach ((CoapBodyKey key, CoapBody body) in _bodies)
        {
            if (body.Touched + timeout <= now)
            {
                _bodies.Remove(key);
                TimedOut++;
            }
        }
    }
}
