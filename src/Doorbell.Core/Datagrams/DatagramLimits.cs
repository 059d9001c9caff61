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

    /// <summary>Most answers a handler may give in one turn; more are dropped and counted. Default 1,024.</summary>
    public int MaxAnswersPerTurn { get; init; } = 1024;

    /// <summary>
    /// Most further sockets that a socket's handler may have open at once (<see cref="DatagramTurn.TryOpenDatagrams(DatagramHandler)"/>);
    /// each may have a thread of its own. Default 16; 0 for none.
    /// </summary>
    public int MaxOpenedSockets { get; init; } = 16;

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size is not positive or past 65,527, or the amplification or the number of sockets negative.
    /// </exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxDatagramBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxDatagramBytes, MaxIPv6Bytes);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxAmplification);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxAnswersPerTurn);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxOpenedSockets);
    }
}
