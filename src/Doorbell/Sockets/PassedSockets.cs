using System.Globalization;

namespace Doorbell.Sockets;

/// <summary>
/// Sockets that whoever started this process made, bound, and passed: systemd's socket activation (sd_listen_fds(3): LISTEN_FDS,
/// LISTEN_PID, LISTEN_FDNAMES), and any descriptor that an <c>fd://</c> endpoint names.
/// </summary>
internal static class PassedSockets
{
    /// <summary>SD_LISTEN_FDS_START.</summary>
    private const int First = 3;

    /// <summary>The descriptors of socket activation and their names; none if it was not meant for this process.</summary>
    public static IReadOnlyList<(int Descriptor, string Name)> OfActivation { get; } = Read();

    /// <summary>Takes over the sockets that an <c>fd://</c> endpoint means: a number, or a name, which several may have.</summary>
    /// <exception cref="NetworkException">There is none, or it can't be served.</exception>
    public static List<DoorSocket> Adopt(Endpoint endpoint, ServerOptions options)
    {
        string which = endpoint.Host!;
        int[] descriptors = int.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? [number]
            : [.. OfActivation.Where(passed => passed.Name == which).Select(static passed => passed.Descriptor)];
        if (descriptors.Length == 0)
        {
            string[] all = [.. OfActivation.Select(static passed => passed.Name)];
            string names = all.Length == 0 ? "none was passed" : string.Join(", ", all);
            throw new NetworkException(
                "adopt", endpoint.ToString(), "no socket of that name was passed", System.Net.Sockets.SocketError.NotSocket,
                $"look at the unit's FileDescriptorName= and at LISTEN_FDNAMES ({PrintableText.Escape(names)})");
        }

        return [.. descriptors.Select(descriptor => InheritedSocket.Adopt(descriptor, endpoint.ToString(), options))];
    }

    /// <summary>All sockets of socket activation.</summary>
    /// <exception cref="NetworkException">One can't be served.</exception>
    public static List<DoorSocket> AdoptAll(ServerOptions options) =>
        [.. OfActivation.Select(passed => InheritedSocket.Adopt(passed.Descriptor, $"fd://{passed.Descriptor}", options))];

    /// <summary>Those of socket activation that no <c>fd://</c> endpoint names: an endpoint of the same address gets them.</summary>
    /// <exception cref="NetworkException">One can't be served.</exception>
    public static IEnumerable<DoorSocket> AdoptUnnamed(ServerOptions options)
    {
        string[] named = [.. options.AllDoors.Select(static door => door.Endpoint).Where(static endpoint => endpoint.IsPassed).Select(static endpoint => endpoint.Host!)];
        return OfActivation.Where(passed => !named.Contains(passed.Name) && !named.Contains($"{passed.Descriptor}"))
            .Select(passed => InheritedSocket.Adopt(passed.Descriptor, $"fd://{passed.Descriptor}", options));
    }

    private static (int, string)[] Read()
    {
        string? Variable(string name) => Environment.GetEnvironmentVariable(name);
        bool ours = int.TryParse(Variable("LISTEN_PID"), CultureInfo.InvariantCulture, out int pid) && pid == Environment.ProcessId;
        if (!ours || !int.TryParse(Variable("LISTEN_FDS"), CultureInfo.InvariantCulture, out int count) || count is < 1 or > 1024)
        {
            return [];
        }

        string[] names = Variable("LISTEN_FDNAMES")?.Split(':') ?? [];
        return [.. Enumerable.Range(0, count).Select(i => (First + i, i < names.Length ? names[i] : "unknown"))];
    }
}
