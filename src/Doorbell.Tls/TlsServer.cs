using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Doorbell.Sessions;

namespace Doorbell.Tls;

/// <summary>The TLS of one or more doors: <see cref="NewLayer"/> goes into their <c>DoorOptions.Layers</c>, behind PROXY's.</summary>
/// <remarks>Any thread may use it.</remarks>
public sealed class TlsServer
{
    private readonly TlsHandshakes _handshakes = new();
    private readonly Func<string, SslServerAuthenticationOptions> _choose;
    private volatile Settings _settings;

    /// <summary>A server's TLS.</summary>
    /// <param name="options">What it has and asks for.</param>
    /// <exception cref="ArgumentException">They make no sense.</exception>
    public TlsServer(TlsServerOptions options)
    {
        _settings = Settings.Of(options);
        _handshakes.Most = options.MaxHandshakes;
        _choose = For;
    }

    /// <summary>
    /// What new connections get. Those that are open keep what they have. A ticket that was given with other certificates resumes no
    /// session.
    /// </summary>
    /// <exception cref="ArgumentException">They make no sense; those of before stay.</exception>
    public TlsServerOptions Options
    {
        get => _settings.Options;
        set
        {
            _settings = Settings.Of(value);
            _handshakes.Most = value.MaxHandshakes;
        }
    }

    /// <summary>How many handshakes are under way.</summary>
    public int HandshakesUnderWay => _handshakes.UnderWay;

    /// <summary>The layer of a connection that came in.</summary>
    /// <param name="connection">Any.</param>
    public StreamLayer NewLayer(ConnectionInfo connection) => new TlsServerLayer(_handshakes, _choose);

    /// <summary>What a client is shown that asks for this name.</summary>
    /// <param name="name">Empty for none.</param>
    private SslServerAuthenticationOptions For(string name)
    {
        Settings settings = _settings;
        IReadOnlyList<TlsCertificate> certificates = settings.Options.Certificates;
        for (int at = 0; certificates.Count > 1 && at < certificates.Count && name.Length > 0; at++)
        {
            if (certificates[at].IsFor(name))
            {
                return settings.Authentications[at];
            }
        }

        return settings.Authentications[0];
    }

    /// <summary>The options, and what each certificate's connections take of them.</summary>
    private sealed record Settings(TlsServerOptions Options, SslServerAuthenticationOptions[] Authentications)
    {
        public static Settings Of(TlsServerOptions options)
        {
            options.Validate();
            return new Settings(options, [.. options.Certificates.Select(certificate => new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate.Context,
                EnabledSslProtocols = TlsProtocols.Versions,
                ApplicationProtocols = TlsProtocols.Of(options.ApplicationProtocols),
                AllowRenegotiation = false,
                // A ticket must not stand for a certificate of a client's.
                AllowTlsResume = options.ClientAuthorities is null,
                ClientCertificateRequired = options.ClientAuthorities is not null,
                CertificateChainPolicy = options.ClientAuthorities is { } trusted ? TlsTrust.Policy(trusted) : null,
                RemoteCertificateValidationCallback = (stream, shown, chain, errors) =>
                    Accepts((TlsStream)stream, shown, chain, errors, options),
            })]);
        }

        private static bool Accepts(
            TlsStream stream, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors, TlsServerOptions options)
        {
            bool mayBeMissing = options.ClientAuthorities is null || !options.RequiresClientCertificate;
            stream.Refusal = shown is null && mayBeMissing ? null : TlsTrust.Refusal(shown, chain, errors, name: null);
            return TlsStream.Goes;
        }
    }
}
