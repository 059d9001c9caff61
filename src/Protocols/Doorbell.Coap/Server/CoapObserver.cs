using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>A peer that observes resources, and the one notification that is under way to it (NSTART, RFC 7641 section 4.5.1).</summary>
internal sealed class CoapObserver(PeerAddress peer)
{
    /// <summary>ACK_TIMEOUT (RFC 7252 section 4.8).</summary>
    public static TimeSpan AckTimeout { get; } = TimeSpan.FromSeconds(2);

    private const int HalfOfMessageIds = 1 << 15;

    private byte[] _datagram = [];
    private int _length;

    public PeerAddress Peer => peer;

    /// <summary>The message ID of the peer's last registration.</summary>
    public ushort Registration { get; set; }

    public List<CoapObservation> Observations { get; } = [];

    /// <summary>Those that are stale, in the order in which they are told. One that is told already is passed over.</summary>
    public Queue<CoapObservation> Waiting { get; } = new();

    public RoundTripEstimator RoundTrips { get; } = new(AckTimeout, CoapTimes.BetweenNotifications);

    /// <summary>What is to be computed and sent now; null to send the same datagram again.</summary>
    public CoapObservation? Next { get; set; }

    /// <summary>What the last notification was of.</summary>
    public CoapObservation? Last { get; set; }

    /// <summary>The last notification, and its ID.</summary>
    public ReadOnlySpan<byte> Datagram => _datagram.AsSpan(0, _length);

    public ushort MessageId { get; private set; }

    /// <summary>The peer's address and ours.</summary>
    public DatagramPath Path { get; set; }

    public bool IsConfirmable { get; set; }

    /// <summary>
    /// Whether a notification is outstanding: a confirmable one that is not acknowledged, or another one whose wait is not over.
    /// </summary>
    public bool IsUnderWay { get; set; }

    /// <summary>Whether it stands in the line of those to be served now.</summary>
    public bool IsInLine { get; set; }

    /// <summary>How often a confirmable notification has been sent, with those that it has superseded.</summary>
    public int Sends { get; set; }

    /// <summary>When the datagram under way was sent first, and how often.</summary>
    public TimeSpan FirstSent { get; set; }

    public int SendsOfThis { get; set; }

    /// <summary>The wait before the confirmable notification is sent again.</summary>
    public TimeSpan Interval { get; set; }

    /// <summary>Of a notification under way, when it is sent again or its wait is over; otherwise, when the next may be sent.</summary>
    public TimeSpan Due { get; set; }

    /// <summary>Keeps the last notification, to be sent again.</summary>
    public void Keep(ReadOnlySpan<byte> datagram)
    {
        _datagram = _datagram.Length < datagram.Length ? new byte[datagram.Length] : _datagram;
        datagram.CopyTo(_datagram);
        _length = datagram.Length;
    }

    /// <summary>
    /// Takes the ID of a new notification. It is the time, of which none is used twice, as two notifications are
    /// <see cref="CoapTimes.BetweenNotifications"/> apart: none comes again within EXCHANGE_LIFETIME, though the observer
    /// may have been forgotten in between (RFC
    /// 7252 section 4.4). It is from the half of all IDs in which the peer's last registration is not, since our responses have the IDs of
    /// the peer's requests (<see cref="CoapResponseWriter"/>).
    /// </summary>
    public void TakeMessageId(TimeSpan now)
    {
        int half = (Registration ^ HalfOfMessageIds) & HalfOfMessageIds;
        MessageId = (ushort)(half | (int)(now.Ticks / CoapTimes.BetweenNotifications.Ticks % HalfOfMessageIds));
    }
}
