using System.Net.Sockets;

namespace Doorbell.Processes.Programs;

/// <summary>Finds a program as execvp(3) does, once, so that a wrong name is told when the server starts and not to its clients.</summary>
internal static class ProgramFile
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <exception cref="NetworkException">There is none of that name that may be executed.</exception>
    public static string Find(string name)
    {
        string[] candidates = name.Contains('/')
            ? [Path.GetFullPath(name)]
            : [.. (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':')
                .Select(folder => Path.Combine(folder, name))];
        string? existing = candidates.FirstOrDefault(File.Exists);
        if (candidates.FirstOrDefault(IsExecutable) is { } found)
        {
            return found;
        }

        (string what, string advice) = existing is null
            ? ("ENOENT (No such file or directory)", "look at its spelling and at PATH")
            : ("EACCES (Permission denied)", $"make it executable: chmod +x {PrintableText.Escape(existing)}");
        throw new NetworkException("execute", PrintableText.Escape(name), what, SocketError.SocketError, advice);
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path) && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Executable) != 0;
}
