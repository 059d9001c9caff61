using System.Globalization;

namespace Doorbell.Cli.Input;

/// <summary>Tells what was passed to this process from what it has opened itself.</summary>
internal static class PassedDescriptor
{
    private const int CloseOnExec = 0x80000;

    /// <summary>Whether standard error is the connection that standard input is, as under inetd(8): a log would be an answer.</summary>
    public static bool ErrorIsConnection =>
        OperatingSystem.IsLinux() && SocketOf(0) is { } connection && connection == SocketOf(2);

    /// <summary>
    /// Whether a descriptor came from whoever started us: what was opened since closes on exec, what came through exec does not.
    /// </summary>
    public static bool IsThere(int descriptor)
    {
        string info = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{descriptor}");
        if (!OperatingSystem.IsLinux() || !Directory.Exists("/proc/self/fdinfo"))
        {
            return true;
        }

        if (!File.Exists(info))
        {
            return false;
        }

        string? flags = File.ReadLines(info).FirstOrDefault(static line => line.StartsWith("flags:", StringComparison.Ordinal));
        return flags is null || (Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & CloseOnExec) == 0;
    }
    /// <summary>As in <c>socket:[1234]</c> (proc_pid_fd(5)); null if it is no socket, or closed.</summary>
    private static string? SocketOf(int descriptor)
    {
        string link = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor}");
        return new FileInfo(link).LinkTarget is { } target && target.StartsWith("socket:", StringComparison.Ordinal) ? target : null;
    }
}
