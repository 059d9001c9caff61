namespace Doorbell.Coap.Codec;

/// <summary>Which endpoints are a multicast group's.</summary>
internal static class CoapGroupAddress
{
    /// <summary>224.0.0.0/4 (RFC 1112 section 4) and ff00::/8 (RFC 4291 section 2.7).</summary>
    public static bool Is(Endpoint endpoint) => endpoint.Address is { } address && (address.IsIPv6Multicast
        || (address.GetAddressBytes() is [var first, _, _, _] && first >> 4 == 224 >> 4));
}
