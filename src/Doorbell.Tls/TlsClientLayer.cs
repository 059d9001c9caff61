using System.Net.Security;

namespace Doorbell.Tls;

/// <summary>TLS at the side that connects.</summary>
internal sealed class TlsClientLayer(TlsClient client) : TlsLayer
{
    protected override string? ServerName => client.Name;

    protected override Task AuthenticateAsync(SslStream stream) => stream.AuthenticateAsClientAsync(client.Authentication());
}
