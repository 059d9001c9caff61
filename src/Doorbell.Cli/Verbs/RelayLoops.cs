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

            string? path = upstream.Path is { } named ? Resolved(named) : null;
            IPAddress[] addresses = upstream.IsUnix ? [] : await AddressesAsync(upstream.Host!, stop);
            if (Array.Find(alike, door => path is null
                ? door.Endpoint == upstream || addresses.Any(address => IsAt(door, address))
                : Resolved(door.Endpoint.Path!) == path) is { } itself)
            {
                throw new ArgumentException(
                    $"UPSTREAM {upstream} is LISTEN itself, {itself.Endpoint}: name the server that clients mean");
            }
        }
    }

    /// <summary>One path for all the names of a file: without dots, and without symbolic links (realpath(3)).</summary>
    private static string Resolved(string path)
    {
        if (path is ['\0', ..])
        {
            return path;
        }

        string full = Path.GetFullPath(path);
        string resolved = "/";
        foreach (string part in full.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(resolved, part);
            resolved = TargetOf(next);
        }

        return resolved;
    }

    private static string TargetOf(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Connecting there fails too, and says why.
            return path;
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
