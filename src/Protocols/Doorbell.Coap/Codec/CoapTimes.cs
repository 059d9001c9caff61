namespace Doorbell.Coap.Codec;

/// <summary>Times that a client and a server must agree on (RFC 7252 section 4.8.2).</summary>
internal static class CoapTimes
{
    /// <summary>EXCHANGE_LIFETIME: how long a duplicate of a confirmable message may come.</summary>
    public static TimeSpan ExchangeLifetime { get; } = TimeSpan.FromSeconds(247);

    /// <summary>The shortest time between two notifications to a peer, and the shortest round trip of a peer that is believed.</summary>
    public static TimeSpan BetweenNotifications { get; } = TimeSpan.FromMilliseconds(10);

    /// <summary>NON_LIFETIME: how long a duplicate of a non-confirmable message may come.</summary>
    public static TimeSpan NonLifetime { get; } = TimeSpan.FromSeconds(145);
}
