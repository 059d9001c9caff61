namespace Doorbell;

/// <summary>The bounds of a datagram service. Sizes are bytes.</summary>
public sealed record DatagramLimits
{
    /// <summary>The defaults.</summary>
    public static DatagramLimits Default { get; } = new();

    /// <summary>Largest datagram taken or sent. Default 65,507: what UDP over IPv4 can carry (65,535 − 20 − 8; RFC 768, RFC 791).</summary>
    public int MaxDatagramBytes { get; init; } = 65_507;

    /// <summary>
    /// An unproved source gets at most this many times the bytes it sent, so that the service is no amplifier for forged
    /// addresses (RFC 9000 section 8.1 bounds QUIC the same way). Loopback and unix peers can't be forged from outside and are
    /// exempt. Default 3; 0 for no bound.
    /// </summary>
    public int MaxAmplification { get; init; } = 3;

    /// <summary>Most answers a handler may give in one turn; more are dropped and counted. Default 1,024.</summary>
    public int MaxAnswersPerTurn { get; init; } = 1024;

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive or past 65,507, or the amplification negative.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxDatagramBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxDatagramBytes, 65_507);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxAmplification);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxAnswersPerTurn);
    }
}
