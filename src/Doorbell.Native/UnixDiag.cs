using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// Asks Linux for the queue of a unix listener: no socket option tells it, only a NETLINK_SOCK_DIAG socket does (sock_diag(7)), as
/// ss(8) uses it.
/// </summary>
internal static partial class UnixDiag
{
    private const int HeaderSize = 16;
    private const int RequestSize = 24;
    private const int MessageSize = 16;
    private const ushort SockDiagByFamily = 20;
    private const byte AfUnix = 1;

    /// <summary>The inode by which the kernel knows a socket; null if it can't be found out.</summary>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static uint? InodeOf(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        SafeSocketHandle handle = socket.SafeHandle;
        bool held = false;
        try
        {
            // Held, the descriptor can't become another file's meanwhile. The link reads socket:[12345] (proc(5)).
            handle.DangerousAddRef(ref held);
            string? link = new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget;
            return link is ['s', 'o', 'c', 'k', 'e', 't', ':', '[', .. var inode, ']'] && uint.TryParse(inode, out uint number)
                ? number
                : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    /// <summary>Waiting and limit of a unix listener; null if the kernel does not tell.</summary>
    public static (int Waiting, int Limit)? ReadQueue(uint inode)
    {
        // socket.h and netlink.h: AF_NETLINK, SOCK_RAW with SOCK_CLOEXEC, NETLINK_SOCK_DIAG. System.Net.Sockets can't make such a
        // socket, but can use it.
        int descriptor = OpenSocket(16, 3 | 0x80000, 4);
        if (descriptor < 0)
        {
            return null;
        }

        try
        {
            using Socket netlink = new(new SafeSocketHandle(descriptor, ownsHandle: true)) { Blocking = false };
            netlink.Send(Request(inode));
            Span<byte> answer = stackalloc byte[256];

            // The kernel has answered before send returns, so there is no wait.
            int count = netlink.Receive(answer);
            return QueueIn(answer[..count]);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>A struct nlmsghdr and a struct unix_diag_req (sock_diag(7)), in this machine's byte order.</summary>
    private static byte[] Request(uint inode)
    {
        const ushort Request = 1;
        const uint ShowQueue = 0x10;
        byte[] bytes = new byte[HeaderSize + RequestSize];
        Put(0, bytes.Length);
        Put(4, SockDiagByFamily);
        Put(6, Request);
        Put(HeaderSize, AfUnix);
        Put(HeaderSize + 4, uint.MaxValue);
        Put(HeaderSize + 8, inode);
        Put(HeaderSize + 12, ShowQueue);

        // No cookie: the inode is enough.
        Put(HeaderSize + 16, ulong.MaxValue);
        return bytes;

        void Put<T>(int offset, T value)
            where T : struct => MemoryMarshal.Write(bytes.AsSpan(offset), in value);
    }

    /// <summary>The attribute UNIX_DIAG_RQLEN of the answer: on a listener, how many wait, and the backlog's limit.</summary>
    private static (int Waiting, int Limit)? QueueIn(ReadOnlySpan<byte> answer)
    {
        const int QueueLength = 4;
        if (answer.Length < HeaderSize + MessageSize || MemoryMarshal.Read<ushort>(answer[4..]) != SockDiagByFamily)
        {
            return null;
        }

        ReadOnlySpan<byte> rest = answer[(HeaderSize + MessageSize)..];
        while (rest.Length >= 4 && MemoryMarshal.Read<ushort>(rest) is >= 4 and var length && length <= rest.Length)
        {
            if (MemoryMarshal.Read<ushort>(rest[2..]) == QueueLength && length >= 12)
            {
                return (MemoryMarshal.Read<int>(rest[4..]), MemoryMarshal.Read<int>(rest[8..]));
            }

            // Attributes begin at multiples of four (netlink(7)).
            rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
        }

        return null;
    }

    [LibraryImport("libc", EntryPoint = "socket")]
    private static partial int OpenSocket(int domain, int type, int protocol);
}
