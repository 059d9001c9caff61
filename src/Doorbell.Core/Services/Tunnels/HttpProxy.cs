namespace Doorbell;

/// <summary>
/// A service that connects its clients to where they say, by HTTP's CONNECT (RFC 9110 section 9.3.6), with Basic authentication
/// (RFC 7617) if <see cref="TunnelOptions.Users"/> asks for it. It forwards no other request: it answers 405.
/// </summary>
public static class HttpProxy
{
    /// <summary>An HTTP proxy.</summary>
    /// <param name="options">Where to, for whom.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Service New(TunnelOptions options)
    {
        options.Validate();
        return new Service("http-proxy") { NewStreamHandler = _ => new HttpClientSide(options) };
    }
}
