using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>Passes descriptors over a unix stream socket: SCM_RIGHTS (unix(7), cmsg(3)), one byte of data with each lot.</summary>
internal static unsafe partial class DescriptorPassing
{
    /// <summary>Most descriptors in one lot; the kernel's own bound is 253 (SCM_MAX_FD).</summary>
    public const int MaxAtOnce = 64;

    private const int Rights = 1;
    private const int CloseOnExec = 0x40000000;
    private static readonly int _headerBytes = sizeof(nint) + (2 * sizeof(int));

    /// <summary>Sends a byte and descriptors with it; 0, or errno.</summary>
    public static int TrySend(int socket, byte what, ReadOnlySpan<int> descriptors)
    {
        byte* control = stackalloc byte[_headerBytes + (MaxAtOnce * sizeof(int))];
        IoVector data = new() { Start = &what, Length = 1 };
        MessageHeader message = new() { Vectors = &data, VectorCount = 1 };
        if (!descriptors.IsEmpty)
        {
            *(nint*)control = _headerBytes + (descriptors.Length * sizeof(int));
            *(int*)(control + sizeof(nint)) = Libc.SocketLevel;
            *(int*)(control + sizeof(nint) + sizeof(int)) = Rights;
            descriptors.CopyTo(new Span<int>(control + _headerBytes, descriptors.Length));
            message.Control = control;
            message.ControlLength = (nuint)Aligned(*(nint*)control);
        }

        // Where a socket has a time-out a signal ends the call (signal(7)), and the runtime stops its threads by signals.
        nint sent;
        do
        {
            sent = sendmsg(socket, &message, Libc.MessageNoSignal);
        }
        while (sent < 0 && LinuxErrno.Last == Libc.Interrupted);

        return sent == 1 ? 0 : LinuxErrno.Last;
    }

    /// <summary>Receives a byte and the descriptors that came with it, close-on-exec; -1 at the end or a failure.</summary>
    public static int Receive(int socket, List<int> descriptors)
    {
        byte* control = stackalloc byte[_headerBytes + (MaxAtOnce * sizeof(int))];
        byte what;
        IoVector data = new() { Start = &what, Length = 1 };
        MessageHeader message = new()
        {
            Vectors = &data,
            VectorCount = 1,
            Control = control,
            ControlLength = (nuint)(_headerBytes + (MaxAtOnce * sizeof(int))),
        };
        nint received;
        do
        {
            received = recvmsg(socket, &message, CloseOnExec);
        }
        while (received < 0 && LinuxErrno.Last == Libc.Interrupted);

        if (received != 1)
        {
            return -1;
        }

        bool hasRights = message.ControlLength >= (nuint)_headerBytes
            && *(int*)(control + sizeof(nint)) == Libc.SocketLevel
            && *(int*)(control + sizeof(nint) + sizeof(int)) == Rights;
        if (hasRights)
        {
            int count = (int)(*(nint*)control - _headerBytes) / sizeof(int);
            descriptors.AddRange(new ReadOnlySpan<int>(control + _headerBytes, count));
        }

        return what;
    }

    /// <summary>The process and user at the other end (SO_PEERCRED).</summary>
    public static (int Process, uint User)? PeerOf(int socket)
    {
        const int PeerCredentials = 17;
        int* credentials = stackalloc int[3];
        int length = 3 * sizeof(int);
        return Libc.getsockopt(socket, Libc.SocketLevel, PeerCredentials, credentials, &length) == 0
            ? (credentials[0], (uint)credentials[1])
            : null;
    }

    [LibraryImport("libc")]
    public static partial uint geteuid();

    private static nint Aligned(nint length) => (length + sizeof(nint) - 1) & ~(sizeof(nint) - 1);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int socket, MessageHeader* message, int flags);

    /// <summary>struct iovec.</summary>
    private struct IoVector
    {
        public void* Start;
        public nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
