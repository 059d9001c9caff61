using System.Net.Security;

namespace Doorbell.Tls;

/// <summary>An SslStream that keeps why it did not accept its peer's certificate.</summary>
internal sealed class TlsStream(Stream inner) : SslStream(inner, leaveInnerStreamOpen: true)
{
    /// <summary>
    /// What the callback of a certificate answers. Where it refuses one, .NET 10 on Linux ends without a word to the peer. So the handshake
    /// goes on to its end, and the layer, which lets no byte of the handler's through, then says close_notify and fails.
    /// </summary>
    public const bool Goes = true;

    /// <summary>For a log; null if the certificate is accepted, or has not been looked at.</summary>
    public string? Refusal { get; set; }
}
