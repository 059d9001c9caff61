namespace Doorbell;

/// <summary>The bounds of a datagram service. Sizes are bytes.</summary>
public sealed record DatagramLimits
{
    /// <summary>The defaults.</summary>
    public static DatagramLimits Default { get; } = new();

    /// <summary>The largest payload of UDP over IPv4: 65,507 bytes (65,535 − 20 − 8; RFC 768, RFC 791).</summary>
    public const int MaxIPv4Bytes = 65_507;

    /// <summary>The largest payload of UDP over IPv6 without jumbograms: 65,527 bytes (65,535 − 8; RFC 768, RFC 8200 section 3).</summary>
    public const int MaxIPv6Bytes = 65_527;

    /// <summary>
    /// Largest datagram taken or sent. Default 65,527: what UDP over IPv6 can carry. Over IPv4 the kernel takes and gives no more than
    /// 65,507.
    /// </summary>
    public int MaxDatagramBytes { get; init; } = MaxIPv6Bytes;

    /// <summary>
    /// An unproved source gets at most this many times the bytes it sent, so that the service is no amplifier for forged
    /// addresses (RFC 9000 section 8.1 bounds QUIC the same way). Loopback and unix peers can't be forged from outside and are
    /// exempt. Default 3; 0 for no bound.
    /// </summary>
    public int MaxAmplification { get; init; } = 3;

    /// <summary>
    /// After so many answers to one peer that has not rested for a second, it gets none until nothing has come from it for 10 ms, or for
    /// 100 ms at most, so that a forged datagram can't go round between two servers for ever (CVE-2024-2169). The next such moment is 4
    /// times as many answers away, at most 1,048,576. A source that is this socket itself, or has port 0, 7, 13, 17, 19 or 37, gets no
    /// answer at all. This is for a server's doors; sockets of clients, and those that handlers open, answer everybody. Default 4,096, and
    /// 128 of <see cref="Service.Run"/>, since there an answer costs a process; 0 to answer everybody at doors too.
    /// </summary>
    public int LoopGuardAnswers { get; init; } = 4096;

    /// <summary>Most answers a handler may give in one turn; more are dropped and counted. Default 1,024.</summary>
    public int MaxAnswersPerTurn { get; init; } = 1024;

    /// <summary>
    /// Most further sockets that a socket's handler may have open at once (<see cref="DatagramTurn.TryOpenDatagrams(DatagramHandler)"/>);
    /// each may have a thread of its own. Default 16; 0 for none.
    /// </summary>
    public int MaxOpenedSockets { get; init; } = 16;

    /// <summary>The largest datagram that a peer can be sent.</summary>
    /// <param name="peer">Whose address decides: IPv4 carries less.</param>
    public int MaxBytesTo(PeerAddress peer)
    {
        // A limit past every UDP datagram's size bounds what no datagram carries, such as the body of a CoAP resource.
        bool isDatagram = MaxDatagramBytes <= MaxIPv6Bytes;
        return isDatagram && peer.Kind == AddressKind.IPv4 ? Math.Min(MaxDatagramBytes, MaxIPv4Bytes) : MaxDatagramBytes;
    }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size is not positive or past 65,527, or the amplification, the loop guard's answers or the number of sockets negative.
    /// </exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxDatagramBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxDatagramBytes, MaxIPv6Bytes);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxAmplification);
        ArgumentOutOfRangeException.ThrowIfNegative(LoopGuardAnswers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxAnswersPerTurn);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxOpenedSockets);
    }
}
