using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

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
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;
    private const int Make = 0x40;
    private const int Empty = 0x200;

    /// <summary>O_NOFOLLOW, which is another number on ARM.</summary>
    private static int NoFollow => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x2_0000;

    /// <summary>Opens it to be read; a FIFO waits for its writer.</summary>
    /// <exception cref="IOException">It can't be; <see cref="FileFailure"/> says why.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, off Linux.</exception>
    public static SafeFileHandle OpenRead(string path) => OperatingSystem.IsLinux()
        ? Open(path, ReadOnly)
        : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Opens it to be written, makes it if it is not there, and empties it if it is.</summary>
    /// <exception cref="IOException">It can't be; <see cref="FileFailure"/> says why.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, off Linux.</exception>
    public static SafeFileHandle Create(string path) => OperatingSystem.IsLinux()
        ? Open(path, WriteOnly | Make | Empty)
        : File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read);

    /// <summary>
    /// Opens a file to be read and written by this process alone, and makes it if it is not there. No link is followed, and nothing is
    /// waited for: the folder may be another user's to write too.
    /// </summary>
    /// <exception cref="IOException">It can't be, or another has it open so (EAGAIN); <see cref="FileFailure"/> says why.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, off Linux.</exception>
    public static SafeFileHandle OpenAlone(string path)
    {
        const int ExclusiveWithoutWaiting = 6;
        if (!OperatingSystem.IsLinux())
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }

        SafeFileHandle file = Open(path, ReadWrite | Make | NoFollow | Libc.NonBlocking);
        if (flock((int)file.DangerousGetHandle(), ExclusiveWithoutWaiting) != 0)
        {
            int errno = LinuxErrno.Last;
            file.Dispose();
            throw Failed(errno);
        }

        return file;
    }

    /// <summary>
    /// Lets others open it alone. Closing does so too, but not while a process that was forked meanwhile holds the same descriptor, until
    /// it becomes another program.
    /// </summary>
    /// <param name="file">Opened by <see cref="OpenAlone"/>; nothing is done if it is closed.</param>
    public static void Unlock(SafeFileHandle file)
    {
        const int UnlockOperation = 8;
        if (OperatingSystem.IsLinux() && !file.IsClosed)
        {
            _ = flock((int)file.DangerousGetHandle(), UnlockOperation);
        }
    }

    /// <summary>Gives a file another name in its folder.</summary>
    /// <param name="from">Its name.</param>
    /// <param name="to">The other one.</param>
    /// <param name="replaces">Whether a file of that name is replaced; otherwise this fails (EEXIST).</param>
    /// <exception cref="IOException">It can't be; <see cref="FileFailure"/> says why.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, off Linux.</exception>
    public static void Rename(string from, string to, bool replaces)
    {
        const int Exists = 17;
        if (!OperatingSystem.IsLinux())
        {
            File.Move(from, to, replaces);
            return;
        }

        fixed (byte* old = Terminated(from), name = Terminated(to))
        {
            // link(2) replaces nothing, whoever else makes a file meanwhile; a file system may have none.
            if (!replaces && link(old, name) == 0)
            {
                _ = unlink(old);
                return;
            }

            if (!replaces && (LinuxErrno.Last == Exists || FileStatus.Of(to) is not null))
            {
                throw Failed(Exists);
            }

            if (rename(old, name) != 0)
            {
                throw Failed(LinuxErrno.Last);
            }
        }
    }

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

    private static SafeFileHandle Open(string path, int flags)
    {
        const uint WhateverTheUmaskLeaves = 0x1b6;
        fixed (byte* bytes = Terminated(path))
        {
            int descriptor;
            do
            {
                descriptor = open(bytes, flags | Libc.CloseOnExec, WhateverTheUmaskLeaves);
            }
            while (descriptor < 0 && LinuxErrno.Last == Libc.Interrupted);
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed(LinuxErrno.Last);
        }
    }

    private static IOException Failed(int errno) => new(Errno.OfLinux(errno).ToString(), errno);

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

    [LibraryImport("libc", SetLastError = true)]
    private static partial int link(byte* from, byte* to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int rename(byte* from, byte* to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);
}
