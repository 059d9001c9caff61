namespace Doorbell.Coap;

/// <summary>Formats of bodies by their numbers (RFC 7252 section 12.3).</summary>
public static class CoapFormat
{
    /// <summary>text/plain;charset=utf-8.</summary>
    public const int Text = 0;

    /// <summary>application/link-format.</summary>
    public const int Links = 40;

    /// <summary>application/octet-stream.</summary>
    public const int Bytes = 42;

    /// <summary>application/json.</summary>
    public const int Json = 50;

    /// <summary>The number of a media type, if it is one of these.</summary>
    /// <param name="mediaType">As in <c>text/plain; charset=utf-8</c>; null for none.</param>
    internal static int? Of(string? mediaType) => mediaType switch
    {
        "text/plain; charset=utf-8" => Text,
        "application/link-format" => Links,
        "application/octet-stream" => Bytes,
        "application/json" => Json,
        _ => null,
    };
}
