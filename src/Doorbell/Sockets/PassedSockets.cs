using System.Globalization;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>
/// Sockets that whoever started this process made, bound, and passed: those of <see cref="SocketActivation"/>, and any descriptor that an
/// <c>fd://</c> endpoint names.
/// </summary>
internal static class PassedSockets
{
    /// <summary>Takes over the sockets that an <c>fd://</c> endpoint means: a number, or a name, which several may have.</summary>
    /// <exception cref="NetworkException">There is none, or it can't be served.</exception>
    public static List<DoorSocket> Adopt(Endpoint endpoint, ListenOptions options)
    {
        int[] descriptors = DescriptorsOf(endpoint);
        if (descriptors.Length == 0)
        {
            string[] all = [.. SocketActivation.Sockets.Select(static passed => passed.Name)];
            string names = all.Length == 0 ? "none was passed" : string.Join(", ", all);
            throw new NetworkException(
                "adopt", endpoint.ToString(), "no socket of that name was passed", System.Net.Sockets.SocketError.NotSocket,
                $"look at the unit's FileDescriptorName= and at LISTEN_FDNAMES ({PrintableText.Escape(names)})");
        }

        // Several sockets may have one name: then the number tells which is meant.
        return [.. descriptors.Select(descriptor => InheritedSocket.Adopt(
            descriptor, descriptors.Length == 1 ? endpoint.ToString() : $"fd://{descriptor} ({endpoint})", options))];
    }

    /// <summary>
    /// The one connection that a server's only door stands for: accepted by whoever started this process, as by inetd(8)'s "nowait" or by
    /// systemd with Accept=yes. Null if it stands for something else.
    /// </summary>
    /// <param name="doors">All of the server's.</param>
    public static int? ConnectionOf(IReadOnlyList<DoorOptions> doors)
    {
        int[] descriptors = doors switch
        {
            [{ IsAllPassed: true }] => [.. SocketActivation.Sockets.Select(static passed => passed.Descriptor)],
            [{ Endpoint.IsPassed: true } door] => DescriptorsOf(door.Endpoint),
            _ => [],
        };
        return OperatingSystem.IsLinux() && descriptors is [int only] && InheritedSocket.IsConnection(only) ? only : null;
    }

    /// <summary>All sockets of socket activation.</summary>
    /// <exception cref="NetworkException">One can't be served.</exception>
    public static List<DoorSocket> AdoptAll(ListenOptions options) =>
        [.. SocketActivation.Sockets.Select(passed => InheritedSocket.Adopt(passed.Descriptor, $"fd://{passed.Descriptor}", options))];

    /// <summary>Those of socket activation that no <c>fd://</c> endpoint names: an endpoint of the same address gets them.</summary>
    /// <exception cref="NetworkException">One can't be served.</exception>
    public static IEnumerable<DoorSocket> AdoptUnnamed(IEnumerable<Endpoint> endpoints, ListenOptions options)
    {
        string[] named = [.. endpoints.Where(static endpoint => endpoint.IsPassed).Select(static endpoint => endpoint.Host!)];
        return SocketActivation.Sockets.Where(passed => !named.Contains(passed.Name) && !named.Contains($"{passed.Descriptor}"))
            .Select(passed => InheritedSocket.Adopt(passed.Descriptor, $"fd://{passed.Descriptor}", options));
    }

    private static int[] DescriptorsOf(Endpoint endpoint) =>
        int.TryParse(endpoint.Host, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? [number]
            : [.. SocketActivation.Sockets.Where(passed => passed.Name == endpoint.Host).Select(static passed => passed.Descriptor)];
}
