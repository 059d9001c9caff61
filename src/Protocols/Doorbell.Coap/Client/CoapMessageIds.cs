using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>
/// The message IDs to one peer: in turn from a random one, and none a second time within EXCHANGE_LIFETIME (RFC 7252 section 4.4). So
/// one socket sends at most 65,536 messages in 247 seconds; another socket has its own.
/// </summary>
internal sealed class CoapMessageIds(ushort first)
{
    private const int GroupBits = 8;
    private readonly TimeSpan[] _freeAt = new TimeSpan[1 << (16 - GroupBits)];
    private ushort _next = first;

    /// <summary>When the next ID may be used; in the past if now.</summary>
    public TimeSpan NextAt => IsFirstOfGroup ? _freeAt[_next >> GroupBits] : TimeSpan.MinValue;

    private bool IsFirstOfGroup => (_next & ((1 << GroupBits) - 1)) == 0;

    /// <summary>Takes the next ID; false if it has to rest until <see cref="NextAt"/>.</summary>
    public bool TryTake(TimeSpan now, out ushort id)
    {
        id = _next;
        if (NextAt > now)
        {
            return false;
        }

        _freeAt[_next >> GroupBits] = now + CoapTimes.ExchangeLifetime;
        _next++;
        return true;
    }
}
