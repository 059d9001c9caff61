using System.Net.Security;
using System.Security.Authentication;

namespace Doorbell.Tls;

/// <summary>
/// What a handshake has agreed on, and who the peer has proved to be. A handler asks its connection for it:
/// <c>turn.Connection.Get&lt;TlsInfo&gt;()</c>.
/// </summary>
/// <param name="Version">TLS 1.2 or 1.3.</param>
/// <param name="CipherSuite">As IANA's registry "TLS Cipher Suites" names it.</param>
/// <param name="ApplicationProtocol">Which protocol ALPN (RFC 7301) has chosen; null if none was asked for.</param>
/// <param name="ServerName">Which name the client asked for (RFC 6066 section 3); null if none.</param>
/// <param name="PeerSubject">The distinguished name in the peer's certificate (RFC 4514); null if it showed none.</param>
/// <param name="PeerFingerprint">The SHA-256 of the peer's certificate in hexadecimal digits; null if it showed none.</param>
public sealed record TlsInfo(
    SslProtocols Version,
    TlsCipherSuite CipherSuite,
    string? ApplicationProtocol,
    string? ServerName,
    string? PeerSubject,
    string? PeerFingerprint)
{
    internal static TlsInfo Of(SslStream stream, string? serverName)
    {
        string protocol = stream.NegotiatedApplicationProtocol.ToString();
        return new TlsInfo(
            stream.SslProtocol,
            stream.NegotiatedCipherSuite,
            protocol.Length > 0 ? protocol : null,
            string.IsNullOrEmpty(serverName) ? null : serverName,
            stream.RemoteCertificate?.Subject,
            stream.RemoteCertificate is { } peer ? TlsCertificate.FingerprintOf(peer) : null);
    }
}
