using System.Net.Security;

namespace Doorbell.Tls;

/// <summary>TLS at the side that connects.</summary>
/// <param name="options">Whom to trust, and what to show.</param>
/// <param name="name">The name that is asked for; empty for none.</param>
internal sealed class TlsClientLayer(SslClientAuthenticationOptions options, string name) : TlsLayer
{
    protected override string? ServerName => name;

    protected override bool IsClient => true;

    protected override Task AuthenticateAsync(SslStream stream) => stream.AuthenticateAsClientAsync(options);
}
