namespace Doorbell;

/// <summary>The bounds of a CoAP server.</summary>
public sealed record CoapServerLimits
{
    /// <summary>EXCHANGE_LIFETIME: how long a confirmable message may come doubled (RFC 7252 section 4.8.2).</summary>
    public static TimeSpan ExchangeLifetime { get; } = TimeSpan.FromSeconds(247);

    /// <summary>NON_LIFETIME: the same for a non-confirmable one.</summary>
    public static TimeSpan NonLifetime { get; } = TimeSpan.FromSeconds(145);

    /// <summary>The defaults.</summary>
    public static CoapServerLimits Default { get; } = new();

    /// <summary>
    /// Most exchanges remembered, so that a duplicate has no second effect. With more the oldest is forgotten first, and counted if a
    /// duplicate of it could still come. Default 16,384; 0 remembers none.
    /// </summary>
    public int MaxExchanges { get; init; } = 16_384;

    /// <summary>Most bytes of an answer's datagram. Default 1,152 (RFC 7252 section 4.6).</summary>
    public int MaxMessageBytes { get; init; } = 1152;
}
