using Doorbell.Native;

namespace Doorbell.Processes.Programs;

/// <summary>What this process may do with a path, whose name may hold any byte (<see cref="SystemText"/>).</summary>
internal static unsafe class PathAccess
{
    /// <summary>Whether there is a file that is no folder.</summary>
    public static bool Exists(string path) => MayAccess(path, mode: 0) && !IsFolder(path);

    /// <summary>Whether this user may execute it, as execve(2) asks: on a file system that allows it, too.</summary>
    public static bool IsExecutable(string path) => MayAccess(path, Libc.MayExecute) && !IsFolder(path);

    private static bool IsFolder(string path) => MayAccess($"{path}/.", mode: 0);

    private static bool MayAccess(string path, int mode)
    {
        fixed (byte* bytes = SystemText.ToBytes($"{path}\0"))
        {
            return Libc.faccessat(Libc.AtCurrentDirectory, bytes, mode, Libc.AtEffectiveIds) == 0;
        }
    }
}
