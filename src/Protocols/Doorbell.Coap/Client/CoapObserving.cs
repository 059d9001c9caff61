using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>A client's observation of a resource: which notifications are news, and when to register again (RFC 7641 section 3).</summary>
internal sealed class CoapObserving
{
    /// <summary>Max-Age of a notification that tells none (RFC 7252 section 5.10.5).</summary>
    private const uint DefaultMaxAge = 60;

    /// <summary>Half of the 24-bit sequence numbers.</summary>
    private const uint HalfOfSequences = 0x80_0000;
    private const uint SequenceMask = 0xff_ffff;

    /// <summary>So long a notification behind another may be late at most (RFC 7641 section 3.4).</summary>
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(128);

    /// <summary>
    /// The shortest and the longest wait behind Max-Age, so that a registration does not cross a notification (RFC 7641 section 3.3.1).
    /// </summary>
    private const double MinGraceSeconds = 5;
    private const double MaxGraceSeconds = 15;

    private uint _sequence;
    private TimeSpan _came;

    /// <summary>
    /// Whether the transport keeps the order, as a stream does: then each notification is news, whatever its number (RFC 8323 appendix
    /// A.1).
    /// </summary>
    public bool IsOrdered { get; set; }

    /// <summary>Whether the server has said that it will tell us.</summary>
    public bool IsRegistered { get; private set; }

    /// <summary>
    /// Takes a notification, if it is newer than the last one (RFC 7641 section 3.4): by its number, or because the last one is so old that
    /// the numbers may have gone round.
    /// </summary>
    public bool TryTake(uint sequence, TimeSpan now)
    {
        uint ahead = (sequence - _sequence) & SequenceMask;
        if (IsRegistered && !IsOrdered && ahead is 0 or >= HalfOfSequences && now <= _came + _longestDelay)
        {
            return false;
        }

        (_sequence, _came, IsRegistered) = (sequence & SequenceMask, now, true);
        return true;
    }

    /// <summary>The server tells us nothing more.</summary>
    public void End() => IsRegistered = false;

    /// <summary>When to register again, if nothing comes until then.</summary>
    public static TimeSpan RegisterAgainAt(in CoapMessage message, TimeSpan now, CoapRandom random)
    {
        uint maxAge = message.Options.TryGet(CoapOptionNumber.MaxAge, out CoapOption option) ? (uint)option.Numeric : DefaultMaxAge;
        double grace = MinGraceSeconds + ((MaxGraceSeconds - MinGraceSeconds) * random.NextDouble());
        return now + TimeSpan.FromSeconds(maxAge + grace);
    }
}
