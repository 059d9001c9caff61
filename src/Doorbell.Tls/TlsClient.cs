using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Doorbell.Sessions;

namespace Doorbell.Tls;

/// <summary>The TLS of connections that we open: <see cref="NewLayer"/> goes into <c>ConnectOptions.Layers</c>.</summary>
/// <remarks>Immutable; any thread may use it, and any number of connections.</remarks>
public sealed class TlsClient
{
    private readonly TlsClientOptions _options;
    private readonly string _name;
    private readonly HashSet<string> _pins;
    private readonly SslStreamCertificateContext? _certificate;

    /// <summary>The TLS to one server.</summary>
    /// <param name="server">Its endpoint, whose host its certificate has to be for.</param>
    /// <param name="options">Whom to trust, and what to show.</param>
    /// <exception cref="ArgumentException">They make no sense, or the endpoint has no host and they have no name.</exception>
    /// <exception cref="FormatException">A pin is none.</exception>
    public TlsClient(Endpoint server, TlsClientOptions options)
    {
        options.Validate();
        _options = options;
        _certificate = options.Certificate?.Context;
        _pins = [.. options.Pins.Select(TlsClientOptions.ParsePin)];
        bool needsNoName = _pins.Count > 0 || options.AcceptsAnyCertificate;
        _name = options.ServerName ?? server.Host ?? (needsNoName ? "" : throw new ArgumentException(
            $"{server} has no host that its certificate could be for: give a ServerName or a pin."));
    }

    /// <summary>The layer of a connection to the server.</summary>
    /// <param name="connection">Any.</param>
    public StreamLayer NewLayer(ConnectionInfo connection) => new TlsClientLayer(Authentication(), _name);

    /// <summary>What an SslStream takes of it.</summary>
    private SslClientAuthenticationOptions Authentication() => new()
    {
        // An address is no name that is sent (RFC 6066 section 3), and SslStream sends none of it.
        TargetHost = _name,
        EnabledSslProtocols = TlsProtocols.Versions,
        ApplicationProtocols = TlsProtocols.Of(_options.ApplicationProtocols),
        AllowRenegotiation = false,
        ClientCertificateContext = _certificate,
        CertificateChainPolicy = TlsTrust.Policy(_options.Authorities),
        RemoteCertificateValidationCallback = (stream, shown, chain, errors) => Accepts((TlsStream)stream, shown, chain, errors),
    };

    private bool Accepts(TlsStream stream, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        bool isPinned = shown is not null && _pins.Count > 0 && _pins.Contains(TlsCertificate.FingerprintOf(shown));
        stream.Refusal = isPinned || _options.AcceptsAnyCertificate ? null
            : _pins.Count > 0 && shown is not null
                ? $"the server's certificate is not the one that is pinned: it is sha256:{TlsCertificate.FingerprintOf(shown)}"
            : TlsTrust.Refusal(shown, chain, errors, _name);
        return TlsStream.Goes;
    }
}
