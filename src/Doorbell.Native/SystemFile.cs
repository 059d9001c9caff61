using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// Calls on a file by its path as <see cref="SystemText"/> has it. On Linux a path is bytes: .NET's File would make U+FFFD of what is no
/// UTF-8, and so change or delete another file.
/// </summary>
internal static unsafe partial class SystemFile
{
    private const int ReadWrite = 2;
    private const int NoSuchDevice = 6;

    /// <summary>
    /// Whether it is a socket. A plain file refuses a connection too, and must never be taken for one. Only a socket can't be opened: ENXIO
    /// (open(2)) on Linux, EOPNOTSUPP on macOS. Opened for reading and writing and with no lock, nothing else blocks, a FIFO neither.
    /// </summary>
    public static bool IsSocket(string path)
    {
        const int MacNotSupported = 102;
        if (OperatingSystem.IsLinux())
        {
            fixed (byte* bytes = Terminated(path))
            {
                int descriptor = open(bytes, ReadWrite | Libc.SocketCloseOnExec | Libc.NonBlocking, 0);
                int errno = LinuxErrno.Last;
                if (descriptor >= 0)
                {
                    _ = Libc.close(descriptor);
                }

                return descriptor < 0 && errno == NoSuchDevice;
            }
        }

        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete).Dispose();
            return false;
        }
        catch (IOException refused)
        {
            return refused.HResult is NoSuchDevice or MacNotSupported;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Deletes it if the system lets us: its folder may not be ours to write any more.</summary>
    public static void TryDelete(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            fixed (byte* bytes = Terminated(path))
            {
                _ = unlink(bytes);
            }

            return;
        }

        try
        {
            File.Delete(path);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static byte[] Terminated(string path) => SystemText.ToBytes(path + '\0');

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlink(byte* path);
}
