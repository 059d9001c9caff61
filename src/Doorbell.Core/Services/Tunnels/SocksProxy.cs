namespace Doorbell;

/// <summary>
/// A service that connects its clients to where they say, by SOCKS version 5 (RFC 1928; its command CONNECT alone), with user name and
/// password (RFC 1929) if <see cref="TunnelOptions.Users"/> asks for them, and otherwise by versions 4 and 4a too.
/// </summary>
public static class SocksProxy
{
    /// <summary>A SOCKS proxy.</summary>
    /// <param name="options">Where to, for whom.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Service New(TunnelOptions options)
    {
        options.Validate();
        return new Service("socks") { NewStreamHandler = _ => new SocksClientSide(options) };
    }
}
