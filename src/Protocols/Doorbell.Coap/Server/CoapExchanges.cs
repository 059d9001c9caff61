using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// The exchanges that a server remembers (RFC 7252 section 4.5). The token is part of the key: a duplicate has the same token. A message
/// with another token is a new request, even if its sender has used up the message IDs within their lifetime.
/// </summary>
internal sealed class CoapExchanges(int capacity)
{
    private const int BufferUnit = 64;

    private readonly CoapPeerTable<Key, Exchange> _table = new(capacity);

    public int Count => _table.Count;

    /// <summary>Exchanges forgotten while a duplicate could still come.</summary>
    public long Evicted { get; private set; }

    /// <summary>Whether this message came before, and the response it got; empty if it got none.</summary>
    public bool TryFind(PeerAddress peer, CoapMessage message, TimeSpan now, out ReadOnlySpan<byte> response)
    {
        if (_table.TryFind(new Key(peer, message.MessageId, message.Token), out int place) && _table.At(place).Until > now)
        {
            ref Exchange exchange = ref _table.At(place);
            response = exchange.Response.AsSpan(0, exchange.Length);
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
        if (!_table.TryFind(key, out int place))
        {
            CoapPeerHost host = CoapPeerHost.Of(peer);
            Evicted += _table.IsFull && _table.EvictFor(host).Until > now ? 1 : 0;
            place = _table.Add(host, key);
        }

        ref Exchange exchange = ref _table.At(place);
        if (exchange.Response is null || exchange.Response.Length < response.Length)
        {
            exchange.Response = new byte[(response.Length + BufferUnit - 1) / BufferUnit * BufferUnit];
        }

        response.CopyTo(exchange.Response);
        exchange.Length = response.Length;
        exchange.Until = now
            + (message.Type == CoapType.Confirmable ? CoapTimes.ExchangeLifetime : CoapTimes.NonLifetime);
    }

    /// <summary>Forgets the exchanges whose lifetime is over, from the oldest on.</summary>
    public void Expire(TimeSpan now)
    {
        while (Count > 0 && _table.Oldest.Until <= now)
        {
            _table.RemoveOldest();
        }

        _table.TrimIfEmpty();
    }

    private readonly record struct Key(PeerAddress Peer, ushort MessageId, CoapToken Token);

    private struct Exchange
    {
        public byte[]? Response;
        public int Length;
        public TimeSpan Until;
    }
}
