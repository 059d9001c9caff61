using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>A new pseudo-terminal (pty(7)): this process has one side, and any program may open the other one by its path. Linux.</summary>
internal static unsafe partial class PseudoTerminal
{
    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private const nuint SetLock = 0x4004_5431;
    private const nuint GetNumber = 0x8004_5430;
    private const nuint UnreadBytes = 0x541B;

    /// <summary>Makes one whose bytes pass as they are.</summary>
    /// <param name="target">What is made, to name in errors.</param>
    /// <param name="path">Of the other side.</param>
    /// <returns>This side, which does not block.</returns>
    /// <exception cref="NetworkException">The system gives none.</exception>
    public static int Open(string target, out string path)
    {
        int descriptor = OpenFile("/dev/ptmx");
        if (descriptor < 0)
        {
            throw DeviceFailure.Of("open", target, LinuxErrno.Last);
        }

        int unlocked = 0;
        int number = 0;
        int errno = ioctl(descriptor, SetLock, &unlocked) == 0 && ioctl(descriptor, GetNumber, &number) == 0 ? 0 : LinuxErrno.Last;
        TerminalSettings settings = default;
        errno = errno == 0 ? TerminalSettings.Read(descriptor, out settings) : errno;
        errno = errno == 0 ? settings.Raw().Apply(descriptor) : errno;
        if (errno != 0)
        {
            _ = Libc.close(descriptor);
            throw DeviceFailure.Of("ioctl", target, errno);
        }

        path = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/dev/pts/{number}");
        return descriptor;
    }

    /// <summary>
    /// Whether whoever has the other side open, or may open it, has read all that was written. When this side closes, what is unread is
    /// lost.
    /// </summary>
    /// <param name="descriptor">This side.</param>
    /// <param name="path">Of the other side.</param>
    public static bool IsRead(int descriptor, string path)
    {
        PollDescriptor polled = new() { Descriptor = descriptor, Events = 0 };
        if (Libc.poll(&polled, 1, 0) > 0 && (polled.Returned & PollDescriptor.HangUp) != 0)
        {
            return true;
        }

        int other = OpenFile(path);
        if (other < 0)
        {
            return true;
        }

        int unread = 0;
        bool isKnown = ioctl(other, UnreadBytes, &unread) == 0;
        _ = Libc.close(other);
        return !isKnown || unread == 0;
    }

    /// <summary>
    /// Makes a symbolic link to the other side. One that an earlier terminal has left is replaced: it leads nowhere, or to the new one,
    /// which has got the number of the old one.
    /// </summary>
    /// <param name="target">What is made, to name in errors.</param>
    /// <param name="path">Of the other side.</param>
    /// <param name="link">Where, as <see cref="SystemText"/> has it.</param>
    /// <exception cref="NetworkException">It can't be made, or something else is there.</exception>
    public static void Link(string target, string path, string link)
    {
        if (TargetOf(link) is { } old && old.StartsWith("/dev/pts/", StringComparison.Ordinal) && (old == path || !File.Exists(old)))
        {
            SystemFile.TryDelete(link);
        }

        fixed (byte* to = Terminated(path))
        {
            fixed (byte* from = Terminated(link))
            {
                if (symlink(to, from) != 0)
                {
                    throw DeviceFailure.Of("symlink", target, LinuxErrno.Last);
                }
            }
        }
    }

    /// <summary>Removes the link, unless it is another's by now.</summary>
    public static void Unlink(string path, string link)
    {
        if (TargetOf(link) == path)
        {
            SystemFile.TryDelete(link);
        }
    }

    /// <summary>Where a symbolic link leads; null if it is none.</summary>
    private static string? TargetOf(string link)
    {
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* from = Terminated(link))
        {
            fixed (byte* to = buffer)
            {
                int length = (int)readlink(from, to, buffer.Length);
                return length < 0 ? null : SystemText.FromBytes(buffer[..length]);
            }
        }
    }

    private static int OpenFile(string path)
    {
        fixed (byte* bytes = Terminated(path))
        {
            return Libc.open(bytes, ReadWrite | NoControllingTerminal | Libc.CloseOnExec | Libc.NonBlocking, 0);
        }
    }

    private static byte[] Terminated(string path) => SystemText.ToBytes(path + '\0');

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, nuint request, int* value);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int symlink(byte* target, byte* link);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readlink(byte* link, byte* target, nint length);
}
