using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>One entry of the list of observers (RFC 7641 section 4.1): a peer that wants to know the state of a resource.</summary>
/// <param name="peer">Who.</param>
/// <param name="token">By which the peer knows the notifications.</param>
/// <param name="served">What is observed.</param>
internal sealed class CoapObservation(PeerAddress peer, CoapToken token, CoapServedResource served)
{
    /// <summary>24 hours: a notification is confirmable at least so often (RFC 7641 section 4.5).</summary>
    private static readonly TimeSpan _longest = TimeSpan.FromHours(24);

    /// <summary>Sequence numbers of a second. They outrun those of the notifications, which are fewer (RFC 7641 section 4.4).</summary>
    private const long SequencesPerSecond = 256;
    private const uint SequenceMask = 0xff_ffff;
    private const uint HalfOfSequences = 0x80_0000;

    private TimeSpan _lastConfirmable;
    private int _sinceConfirmable = int.MaxValue;
    private uint _sequence;
    private bool _hasSequence;

    public PeerAddress Peer => peer;

    public CoapToken Token => token;

    public CoapServedResource Served => served;

    /// <summary>The registration's datagram, copied: it says what is asked for, and in which form.</summary>
    public byte[] Request { get; set; } = [];

    /// <summary>The peer's address and ours.</summary>
    public DatagramPath Path { get; set; }

    /// <summary>Whether the peer is to be told the state.</summary>
    public bool IsStale { get; set; }

    public bool IsOver { get; set; }

    /// <summary>Whether the peer is told by an error that it is over.</summary>
    public bool IsError { get; set; }

    /// <summary>When what the peer was told last is no longer fresh (Max-Age). Then the same is told again.</summary>
    public TimeSpan FreshUntil { get; private set; } = TimeSpan.MaxValue;

    /// <summary>
    /// The next sequence number. They grow with the wall clock too, so that a server that has forgotten the observation goes on behind the
    /// numbers that it gave before.
    /// </summary>
    public uint NextSequence(DateTimeOffset utcNow)
    {
        uint clock = (uint)(utcNow.Ticks / (TimeSpan.TicksPerSecond / SequencesPerSecond)) & SequenceMask;
        uint next = (_sequence + 1) & SequenceMask;
        bool isAhead = ((clock - next) & SequenceMask) < HalfOfSequences;
        _sequence = !_hasSequence || isAhead ? clock : next;
        _hasSequence = true;
        return _sequence;
    }

    /// <summary>The peer is told the state now.</summary>
    public void Told(TimeSpan now)
    {
        IsStale = false;
        FreshUntil = served.Resource.RefreshAfter is { } after ? now + after : TimeSpan.MaxValue;
    }

    /// <summary>
    /// Whether the next notification is confirmable: the first one, which finds out what a round trip takes, and then one of several.
    /// </summary>
    public bool TakeIsConfirmable(TimeSpan now)
    {
        bool isConfirmable = _sinceConfirmable >= served.Resource.ConfirmEvery - 1
            || now - _lastConfirmable >= _longest || now >= FreshUntil;
        (_sinceConfirmable, _lastConfirmable) = isConfirmable ? (0, now) : (_sinceConfirmable + 1, _lastConfirmable);
        return isConfirmable;
    }
}
