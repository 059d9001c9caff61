using System.Net.Security;
using System.Security.Authentication;
using System.Text;

namespace Doorbell.Tls;

/// <summary>The versions of TLS, and the names of the protocols above it that ALPN chooses from (RFC 7301 section 3.1).</summary>
internal static class TlsProtocols
{
    /// <summary>TLS 1.2 and 1.3: RFC 8996 forbids those before.</summary>
    public const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;

    private const int MaxNameBytes = 255;

    public static void Validate(IReadOnlyList<string> names)
    {
        if (names.FirstOrDefault(static name => Encoding.UTF8.GetByteCount(name) is 0 or > MaxNameBytes) is { } wrong)
        {
            throw new ArgumentException(
                $"ALPN's names have 1 to {MaxNameBytes} bytes (RFC 7301 section 3.1), and one has {Encoding.UTF8.GetByteCount(wrong)}.");
        }
    }

    /// <summary>As SslStream takes them; null for none.</summary>
    public static List<SslApplicationProtocol>? Of(IReadOnlyList<string> names) =>
        names.Count == 0 ? null : [.. names.Select(static name => new SslApplicationProtocol(name))];
}
