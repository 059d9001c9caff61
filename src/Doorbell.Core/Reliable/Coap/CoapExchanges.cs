namespace Doorbell;

/// <summary>
/// The exchanges a server remembers (RFC 7252 section 4.5). The token is part of the key: a duplicate has the same, and a message
/// with another is none, even if its sender has used up the message IDs within their lifetime.
/// </summary>
internal sealed class CoapExchanges(int capacity)
{
    private readonly Dictionary<Key, Exchange> _exchanges = [];
    private readonly Queue<Key> _oldestFirst = new();

    public int Count => _exchanges.Count;

    /// <summary>Exchanges forgotten while a duplicate could still come.</summary>
    public long Evicted { get; private set; }

    public byte[]? Find(PeerAddress peer, CoapMessage message, TimeSpan now) =>
        _exchanges.TryGetValue(new Key(peer, message.MessageId, message.Token), out Exchange exchange) && exchange.Until > now
            ? exchange.Answer
            : null;

    public void Add(PeerAddress peer, CoapMessage message, ReadOnlySpan<byte> answer, TimeSpan now)
    {
        TimeSpan lifetime = message.Type == CoapType.Confirmable ? CoapServerLimits.ExchangeLifetime : CoapServerLimits.NonLifetime;
        Key key = new(peer, message.MessageId, message.Token);
        if (capacity == 0)
        {
            Evicted++;
            return;
        }

        // One that is over but not yet forgotten keeps its place in the order.
        if (!_exchanges.ContainsKey(key))
        {
            if (_exchanges.Count == capacity)
            {
                _exchanges.Remove(_oldestFirst.Dequeue(), out Exchange oldest);
                Evicted += oldest.Until > now ? 1 : 0;
            }

            _oldestFirst.Enqueue(key);
        }

        _exchanges[key] = new Exchange(answer.ToArray(), now + lifetime);
    }

    /// <summary>Forgets, from the oldest on, those that are over.</summary>
    public void Expire(TimeSpan now)
    {
        while (_oldestFirst.TryPeek(out Key key) && _exchanges[key].Until <= now)
        {
            _exchanges.Remove(_oldestFirst.Dequeue());
        }
    }

    private readonly record struct Key(PeerAddress Peer, ushort MessageId, CoapToken Token);

    private readonly record struct Exchange(byte[] Answer, TimeSpan Until);
}
