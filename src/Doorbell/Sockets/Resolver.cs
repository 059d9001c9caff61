using System.Net;
using System.Net.Sockets;

namespace Doorbell.Sockets;

/// <summary>From an endpoint's host to its addresses.</summary>
internal static class Resolver
{
    /// <summary>
    /// Every address of the endpoint's host, in the order of the system's resolver (RFC 6724). <c>localhost</c> is both loopback
    /// addresses, whatever a resolver says of it (RFC 6761 section 6.3).
    /// </summary>
    /// <exception cref="NetworkException">The name can't be resolved.</exception>
    public static async Task<IPAddress[]> ResolveAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        if (TryLocally(endpoint) is { } known)
        {
            return known;
        }

        string host = endpoint.Host!;
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, cancellation).ConfigureAwait(false);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.NoData);
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            throw NetworkException.From("resolve", endpoint.ToString(), failure);
        }
    }

    /// <summary>The addresses of a host that needs no resolver; null if it needs one.</summary>
    public static IPAddress[]? TryLocally(Endpoint endpoint)
    {
        string host = endpoint.Host!;
        return endpoint.Address is { } literal ? [literal]
            : host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.IPv6Loopback, IPAddress.Loopback]
            : null;
    }
}
