using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// The exchanges that a server remembers (RFC 7252 section 4.5). The token is part of the key: a duplicate has the same token. A message
/// with another token is a new request, even if its sender has used up the message IDs within their lifetime.
/// </summary>
/// <remarks>A ring, oldest first, whose places and their buffers are used again: at rest in a full table nothing is allocated.</remarks>
internal sealed class CoapExchanges(int capacity)
{
    private const int FirstPlaces = 64;
    private const int BufferUnit = 64;

    private readonly Dictionary<Key, int> _places = [];
    private Exchange[] _ring = [];
    private int _oldest;

    public int Count { get; private set; }

    /// <summary>Exchanges forgotten while a duplicate could still come.</summary>
    public long Evicted { get; private set; }

    /// <summary>Whether this message came before, and the response it got; empty if it got none.</summary>
    public bool TryFind(PeerAddress peer, CoapMessage message, TimeSpan now, out ReadOnlySpan<byte> response)
    {
        if (_places.TryGetValue(new Key(peer, message.MessageId, message.Token), out int place) && _ring[place].Until > now)
        {
            response = _ring[place].Response.AsSpan(0, _ring[place].Length);
            return true;
        }

        response = default;
        return false;
    }

    public void Add(PeerAddress peer, CoapMessage message, ReadOnlySpan<byte> response, TimeSpan now)
    {
        if (capacity == 0)
        {
            Evicted++;
            return;
        }

        // An exchange whose lifetime is over but that is not yet forgotten keeps its place in the order.
        Key key = new(peer, message.MessageId, message.Token);
        if (!_places.TryGetValue(key, out int place))
        {
            place = NewPlace(now);
            _places.Add(key, place);
        }

        ref Exchange exchange = ref _ring[place];
        if (exchange.Response is null || exchange.Response.Length < response.Length)
        {
            exchange.Response = new byte[(response.Length + BufferUnit - 1) / BufferUnit * BufferUnit];
        }

        response.CopyTo(exchange.Response);
        exchange.Key = key;
        exchange.Length = response.Length;
        exchange.Until = now
            + (message.Type == CoapType.Confirmable ? CoapTimes.ExchangeLifetime : CoapTimes.NonLifetime);
    }

    /// <summary>Forgets the exchanges whose lifetime is over, from the oldest on.</summary>
    public void Expire(TimeSpan now)
    {
        while (Count > 0 && _ring[_oldest].Until <= now)
        {
            ForgetOldest();
        }

        if (Count == 0 && _ring.Length > FirstPlaces)
        {
            _ring = [];
            _oldest = 0;
        }
    }

    private int NewPlace(TimeSpan now)
    {
        if (Count == capacity)
        {
            Evicted += _ring[_oldest].Until > now ? 1 : 0;
            ForgetOldest();
        }
        else if (Count == _ring.Length)
        {
            Grow();
        }

        return (_oldest + Count++) % _ring.Length;
    }

    private void ForgetOldest()
    {
        _places.Remove(_ring[_oldest].Key);
        _oldest = (_oldest + 1) % _ring.Length;
        Count--;
    }

    private void Grow()
    {
        Exchange[] larger = new Exchange[Math.Min(Math.Max(_ring.Length * 2, FirstPlaces), capacity)];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = _ring[(_oldest + i) % _ring.Length];
            _places[larger[i].Key] = i;
        }

        _ring = larger;
        _oldest = 0;
    }

    private readonly record struct Key(PeerAddress Peer, ushort MessageId, CoapToken Token);

    private struct Exchange
    {
        public Key Key;
        public byte[] Response;
        public int Length;
        public TimeSpan Until;
    }
}
