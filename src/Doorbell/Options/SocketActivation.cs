using System.Globalization;

namespace Doorbell.Options;

/// <summary>
/// What systemd's socket activation has passed this process: sd_listen_fds(3), the variables LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES.
/// </summary>
internal static class SocketActivation
{
    /// <summary>SD_LISTEN_FDS_START.</summary>
    private const int First = 3;

    /// <summary>As many as LISTEN_FDS may say before it is taken for a mistake.</summary>
    private const int MaxSockets = 1024;

    /// <summary>The descriptors and their names; none if they were not meant for this process.</summary>
    public static IReadOnlyList<(int Descriptor, string Name)> Sockets { get; } = Read();

    private static (int, string)[] Read()
    {
        bool ours = int.TryParse(Variable("LISTEN_PID"), CultureInfo.InvariantCulture, out int pid) && pid == Environment.ProcessId;
        if (!ours || !int.TryParse(Variable("LISTEN_FDS"), CultureInfo.InvariantCulture, out int count) || count is < 1 or > MaxSockets)
        {
            return [];
        }

        string[] names = Variable("LISTEN_FDNAMES")?.Split(':') ?? [];
        return [.. Enumerable.Range(0, count).Select(i => (First + i, i < names.Length ? names[i] : "unknown"))];
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name);
}
