using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>The C library's calls that move several datagrams at once, and what datagram sockets alone can be asked.</summary>
internal static unsafe partial class LibcMessages
{
    /// <summary>MSG_TRUNC: the datagram was longer than its buffer.</summary>
    public const int Truncated = 0x20;

    /// <summary>MSG_CTRUNC: there were more control messages than room for them.</summary>
    public const int ControlTruncated = 0x8;

    /// <summary>MSG_ERRQUEUE (recv(2)): takes an error from the queue that IP_RECVERR fills.</summary>
    public const int ErrorQueue = 0x2000;

    public const int InputOutputError = 5;
    public const int MessageTooLong = 90;
    public const int NoSuchOption = 92;
    public const int NotSupported = 95;
    public const int AddressNotAvailable = 99;
    public const int NetworkUnreachable = 101;
    public const int ConnectionRefused = 111;

    private const int MemoryInfo = 55;
    private const int MemoryInfoDrops = 8;
    private const int MemoryInfoCount = 9;

    /// <summary>
    /// Datagrams dropped since the socket was made (SO_MEMINFO, linux/sock_diag.h: SK_MEMINFO_DROPS), the same count as SO_RXQ_OVFL's,
    /// with no need of another datagram to tell it. Null if the kernel does not say.
    /// </summary>
    public static uint? DropsOf(int socket)
    {
        uint* counts = stackalloc uint[MemoryInfoCount];
        int length = MemoryInfoCount * sizeof(uint);
        bool known = Libc.getsockopt(socket, Libc.SocketLevel, MemoryInfo, counts, &length) == 0;
        return known && length == MemoryInfoCount * sizeof(uint) ? counts[MemoryInfoDrops] : null;
    }

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int recvmmsg(int socket, CountedMessage* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int sendmmsg(int socket, CountedMessage* messages, uint count, int flags);
}
