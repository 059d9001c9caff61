using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// Keeps others of ours from making and removing files in a folder meanwhile: flock(2) on the folder itself, which leaves no file and ends
/// with the process. A folder that can't be read, or that somebody keeps locked, is used without. Linux; elsewhere it does nothing.
/// </summary>
internal sealed unsafe partial class FolderLock : IDisposable
{
    private const int Directory = 0x10000;
    private const int Exclusive = 2;
    private const int WithoutWaiting = 4;

    /// <summary>In a folder of everybody's, anybody may hold the lock for ever.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private readonly int _descriptor = -1;

    /// <param name="path">Of a file in the folder, as <see cref="SystemText"/> has it.</param>
    public FolderLock(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int slash = path.LastIndexOf('/');
        string folder = slash < 0 ? "." : path[..(slash + 1)];
        fixed (byte* bytes = SystemText.ToBytes($"{folder}\0"))
        {
            _descriptor = open(bytes, (int)Libc.CloseOnExec | DirectoryFlag, 0);
        }

        if (_descriptor >= 0)
        {
            SpinWait.SpinUntil(() => flock(_descriptor, Exclusive | WithoutWaiting) == 0, _patience);
        }
    }

    /// <summary>O_DIRECTORY, which is another number on ARM.</summary>
    private static int DirectoryFlag => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm
        ? 0x4000
        : Directory;

    public void Dispose()
    {
        if (_descriptor >= 0)
        {
            _ = Libc.close(_descriptor);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);
}
