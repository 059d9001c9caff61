using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Doorbell.Cli.Verbs;

/// <summary>Finds the upstream that is the relay itself: each connection would make another one, until no descriptor is left.</summary>
internal static class RelayLoops
{
    /// <param name="doors">Where the relay listens.</param>
    /// <param name="upstreams">Where it connects to.</param>
    /// <param name="stop">Ends the search.</param>
    /// <exception cref="ArgumentException">An upstream leads to one of the doors.</exception>
    public static async Task RequireNoneAsync(IReadOnlyList<Door> doors, Endpoint[] upstreams, CancellationToken stop)
    {
        foreach (Endpoint upstream in upstreams)
        {
            Door[] alike = [.. doors.Where(door => door.Endpoint.IsUnix == upstream.IsUnix && door.Endpoint.Port == upstream.Port)];
            if (alike.Length == 0)
            {
                continue;
            }

            IPAddress[] addresses = upstream.IsUnix ? [] : await AddressesAsync(upstream.Host!, stop);
            if (Array.Find(alike, door => door.Endpoint == upstream || addresses.Any(address => IsAt(door, address))) is { } itself)
            {
                throw new ArgumentException(
                    $"UPSTREAM {upstream} is LISTEN itself, {itself.Endpoint}: name the server that clients mean");
            }
        }
    }

    /// <summary>A name that is not known now may be known later: it is no wrong usage.</summary>
    private static async Task<IPAddress[]> AddressesAsync(string host, CancellationToken stop)
    {
        if (IPAddress.TryParse(host, out IPAddress? literal))
        {
            return [literal];
        }

        try
        {
            return await Dns.GetHostAddressesAsync(host, stop);
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static bool IsAt(Door door, IPAddress asked)
    {
        // To connect to the wildcard address is to connect to this machine.
        IPAddress address = asked.IsIPv4MappedToIPv6 ? asked.MapToIPv4() : asked;
        address = address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        return door.Reach == Reach.EveryInterface
            ? IPAddress.IsLoopback(address) || IsOurs(address)
            : IPAddress.TryParse(door.Endpoint.Host, out IPAddress? bound) && bound.Equals(address);
    }

    private static bool IsOurs(IPAddress address) => NetworkInterface.GetAllNetworkInterfaces()
        .Any(link => link.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)));
}
