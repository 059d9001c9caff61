namespace Doorbell;

/// <summary>Formats of bodies by their numbers (RFC 7252 section 12.3).</summary>
internal static class CoapFormat
{
    /// <summary>text/plain;charset=utf-8.</summary>
    public const int Text = 0;

    /// <summary>application/link-format.</summary>
    public const int Links = 40;

    /// <summary>application/octet-stream.</summary>
    public const int Bytes = 42;
}
