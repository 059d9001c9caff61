using System.Net.Sockets;
using Doorbell.Processes.Spawning;

namespace Doorbell.Processes.Programs;

/// <summary>Finds a program as execvp(3) does, once, so that a wrong name is told when the server starts and not to its clients.</summary>
internal static class ProgramFile
{
    /// <exception cref="NetworkException">There is none of that name that can be executed.</exception>
    public static string Find(string name)
    {
        string[] candidates = name.Contains('/')
            ? [Absolute(name)]
            : [.. (InheritedEnvironment.ValueOf("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':')
                .Select(folder => Path.Combine(folder, name))];
        string? existing = candidates.FirstOrDefault(PathAccess.Exists);
        if (candidates.FirstOrDefault(PathAccess.IsExecutable) is { } found)
        {
            return ExecutableFormat.Refuses(found) is ({ } why, { } remedy) ? throw Failure(found, why, remedy) : found;
        }

        (string what, string advice) = existing is null
            ? ("ENOENT (No such file or directory)", "look at its spelling and at PATH")
            : ("EACCES (Permission denied)", $"make it executable: chmod +x {PrintableText.Escape(existing)}");
        throw Failure(name, what, advice);
    }

    /// <summary>The runtime does not know the current folder if its name isn't UTF-8: the kernel does.</summary>
    private static string Absolute(string path) =>
        Path.IsPathRooted(path) || Environment.CurrentDirectory.Contains('\ufffd') ? path : Path.GetFullPath(path);

    private static NetworkException Failure(string file, string what, string advice) =>
        new("execute", PrintableText.Escape(file), what, SocketError.SocketError, advice);
}
