using System.Security.Cryptography.X509Certificates;

namespace Doorbell.Tls;

/// <summary>What a door's TLS has and asks for. Immutable: a <see cref="TlsServer"/> is given another one.</summary>
public sealed record TlsServerOptions
{
    /// <summary>
    /// At least one. A client that asks for a name (RFC 6066 section 3) is shown the first one that is for it, and any other client the
    /// first one.
    /// </summary>
    public required IReadOnlyList<TlsCertificate> Certificates { get; init; }

    /// <summary>Which protocols are offered by ALPN (RFC 7301), the best first. Default none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>
    /// Whose certificates of clients are trusted. Default null: no client is asked for one. Who the client is reaches the handler as
    /// <see cref="TlsInfo"/>.
    /// </summary>
    public X509Certificate2Collection? ClientAuthorities { get; init; }

    /// <summary>Whether a client without a certificate is refused. Default true; without effect if no client is asked for one.</summary>
    public bool RequiresClientCertificate { get; init; } = true;

    /// <summary>
    /// Most handshakes under way at once in this process; one more connection is closed as <see cref="CloseReason.PeerRefused"/>. How
    /// long each may take is <see cref="StreamLimits.OpeningTimeout"/>'s. Default 1,024.
    /// </summary>
    public int MaxHandshakes { get; init; } = 1024;

    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="ArgumentException">
    /// There is no certificate, a protocol's name is not one of 1 to 255 bytes, or a bound is not positive.
    /// </exception>
    public void Validate()
    {
        if (Certificates.Count == 0)
        {
            throw new ArgumentException("A TLS server needs a certificate: give one in Certificates.");
        }

        TlsProtocols.Validate(ApplicationProtocols);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxHandshakes);
    }
}
