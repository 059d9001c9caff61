namespace Doorbell.Tls;

/// <summary>The scheme of endpoints that are reached by TLS over TCP.</summary>
public static class TlsScheme
{
    /// <summary><c>tls://host:port</c>; without a port that of HTTP over TLS, 443.</summary>
    public static ApplicationScheme Scheme { get; } = new("tls", Transport.Tcp, 443);
}
