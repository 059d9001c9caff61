using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// The C library's socket and descriptor calls on Linux, exactly as section 2 of the manual has them: -1 and errno
/// (<see cref="Marshal.GetLastPInvokeError"/>) for a failure. Nothing here is reached on another system.
/// </summary>
internal static unsafe partial class Libc
{
    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int OutOfMemory = 12;
    public const int Busy = 16;
    public const int TimerExpired = 62;
    public const int NoBuffers = 105;
    public const int Cancelled = 125;
    public const int InProgress = 115;
    public const int TimedOut = 110;
    public const int AccessDenied = 13;
    public const int TooManyFilesInSystem = 23;
    public const int TooManyFiles = 24;
    public const int FamilyNotSupported = 97;
    public const int NoChild = 10;
    public const int NoProcess = 3;
    public const int InvalidArgument = 22;
    public const int BrokenPipe = 32;
    public const int ConnectionAborted = 103;
    public const int ConnectionReset = 104;
    public const int NotConnected = 107;

    public const int UnixFamily = 1;
    public const int IPv4Family = 2;
    public const int IPv6Family = 10;
    public const int StreamType = 1;
    public const int SocketCloseOnExec = 0x80000;
    public const int MessagePeek = 2;
    public const int MessageDontWait = 0x40;
    public const int MessageNoSignal = 0x4000;
    public const int MessageTruncate = 0x20;
    public const int ShutdownReceive = 0;
    public const int ShutdownSend = 1;
    public const int ShutdownBoth = 2;
    public const int SocketLevel = 1;
    public const int ReuseAddressOption = 2;
    public const int ErrorOption = 4;
    public const int LingerOption = 13;
    public const int IPLevel = 0;
    public const int BindAddressNoPortOption = 24;
    public const int TcpLevel = 6;
    public const int NoDelayOption = 1;
    public const int KeepAliveIdleOption = 4;
    public const int KeepAliveOption = 9;
    public const int ReceiveTimeoutOption = 20;
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    public const int AtCurrentDirectory = -100;
    public const int AtEffectiveIds = 0x200;
    public const int MayExecute = 1;
    public const int GetFlags = 3;
    public const int DataLimit = 2;
    public const int AddressSpaceLimit = 9;
    public const int SetFlags = 4;
    public const int SetDescriptorFlags = 2;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(int socket, byte* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int connect(int socket, byte* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int dup3(int from, int to, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socketpair(int family, int type, int protocol, int* descriptors);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockname(int socket, byte* address, int* length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getpeername(int socket, byte* address, int* length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setsockopt(int socket, int level, int name, void* value, int length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockopt(int socket, int level, int name, void* value, int* length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long lseek(int descriptor, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int open(byte* path, int flags, int mode);

    /// <summary>With <see cref="AtCurrentDirectory"/> and <see cref="AtEffectiveIds"/>: what execve(2) would be allowed.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int faccessat(int directory, byte* path, int mode, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(int* descriptors, int flags);

    /// <summary>Two numbers: what holds now, and what it may be raised to.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int getrlimit(int kind, nuint* limits);

    [LibraryImport("libc")]
    public static partial int mallopt(int parameter, int value);

    [LibraryImport("libc")]
    public static partial int pthread_attr_init(void* attributes);

    [LibraryImport("libc")]
    public static partial int pthread_attr_setstacksize(void* attributes, nuint bytes);

    /// <summary>For threads to come that ask for nothing else.</summary>
    [LibraryImport("libc")]
    public static partial int pthread_setattr_default_np(void* attributes);

    [LibraryImport("libc")]
    public static partial int pthread_attr_destroy(void* attributes);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int descriptor, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int memfd_create(byte* name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ftruncate(int descriptor, long length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial void* mmap(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int munmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint recv_(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recvfrom", SetLastError = true)]
    internal static partial nint recvfrom_(int socket, byte* buffer, nint length, int flags, byte* address, int* addressLength);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    internal static partial nint sendto_(int socket, byte* buffer, nint length, int flags, byte* address, int addressLength);

    // The calls of every request, and those of every connection: they never wait, so the garbage collector may wait for them, and
    // telling it that they are left and entered again would cost as much as our side of a request. errno is read where one fails.
    [LibraryImport("libc", EntryPoint = "accept4")]
    [SuppressGCTransition]
    internal static partial int accept4_(int socket, byte* address, int* length, int flags);

    [LibraryImport("libc", EntryPoint = "recv")]
    [SuppressGCTransition]
    internal static partial nint recv_now(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    [SuppressGCTransition]
    internal static partial nint send_(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    [SuppressGCTransition]
    internal static partial int shutdown_(int socket, int how);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    [SuppressGCTransition]
    internal static partial int epoll_ctl_(int epoll, int operation, int descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    [SuppressGCTransition]
    internal static partial int epoll_wait_now(int epoll, byte* events, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int epoll_wait_(int epoll, byte* events, int most, int milliseconds);

    [LibraryImport("libc")]
    [SuppressGCTransition]
    private static partial int* __errno_location();

    /// <summary>Behind a call of this thread that has failed without leaving the GC's sight: nothing has changed errno since.</summary>
    public static void KeepErrno() => Marshal.SetLastPInvokeError(*__errno_location());

    /// <summary>The answer of a call that does not wait: errno is kept for <see cref="LinuxErrno.Last"/> where it has failed.</summary>
    internal static nint Answer(nint answer)
    {
        if (answer < 0)
        {
            KeepErrno();
        }

        return answer;
    }

    /// <inheritdoc cref="Answer(nint)"/>
    internal static int Answer(int answer) => (int)Answer((nint)answer);
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    public const short In = 1;
    public const short Out = 4;
    public const short Error = 8;
    public const short HangUp = 0x10;

    public int Descriptor;
    public short Events;
    public short Returned;
}
