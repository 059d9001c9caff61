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
    private const int NotASocket = 88;

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

    /// <summary>
    /// Changes a socket's file: its owner and group first, its mode last, so that it is never more open than it is to be. Linux. No link is
    /// followed, and nothing but a socket is changed: the folder may be another user's to write too.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">Null to leave it.</param>
    /// <param name="user">-1 to leave it.</param>
    /// <param name="group">-1 to leave it.</param>
    /// <param name="call">The call that failed.</param>
    /// <returns>0, or errno.</returns>
    public static int SetAccess(string path, int? mode, int user, int group, out string call)
    {
        const int PathOnly = 0x20_0000;
        const int NoFollow = 0x2_0000;
        const int EmptyPath = 0x1000;
        call = "open";
        int descriptor;
        fixed (byte* bytes = Terminated(path))
        {
            descriptor = open(bytes, PathOnly | NoFollow | Libc.CloseOnExec, 0);
        }

        if (descriptor < 0)
        {
            return LinuxErrno.Last;
        }

        try
        {
            byte nothing = 0;
            if (!IsSocket(descriptor))
            {
                return NotASocket;
            }

            call = "chown";
            if ((user >= 0 || group >= 0) && fchownat(descriptor, &nothing, user, group, EmptyPath) != 0)
            {
                return LinuxErrno.Last;
            }

            call = "chmod";
            fixed (byte* link = Terminated($"/proc/self/fd/{descriptor}"))
            {
                return mode is { } asked && chmod(link, (uint)asked) != 0 ? LinuxErrno.Last : 0;
            }
        }
        finally
        {
            _ = Libc.close(descriptor);
        }
    }

    /// <summary>struct statx has the mode, 16 bits, at 28 (statx(2)).</summary>
    private static bool IsSocket(int descriptor)
    {
        const int EmptyPath = 0x1000;
        const uint TypeAlone = 1;
        const int Kinds = 0xf000;
        const int Socket = 0xc000;
        byte* told = stackalloc byte[256];
        byte nothing = 0;
        return statx(descriptor, &nothing, EmptyPath, TypeAlone, told) == 0 && (*(ushort*)(told + 28) & Kinds) == Socket;
    }

    private static byte[] Terminated(string path) => SystemText.ToBytes(path + '\0');

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchownat(int folder, byte* path, int user, int group, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int chmod(byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int folder, byte* path, int flags, uint mask, byte* told);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlink(byte* path);
}
