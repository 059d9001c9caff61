using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// A stream socket between a virtual machine and its host (vsock(7)), which System.Net.Sockets has no address for. Linux.
/// </summary>
internal static unsafe partial class VsockSocket
{
    /// <summary>VMADDR_CID_ANY: every address of this machine.</summary>
    public const uint AnyCid = uint.MaxValue;

    private const int Family = 40;
    private const int AddressBytes = 16;
    private const int PortAt = 4;
    private const int CidAt = 8;
    private const int Backlog = 128;

    /// <summary>Connects, and waits as long as it may take.</summary>
    /// <param name="target">The endpoint, to name in errors.</param>
    /// <param name="cid">The machine: 2 is the host.</param>
    /// <param name="port">32 bits.</param>
    /// <param name="timeout">How long.</param>
    /// <returns>Does not block; the caller owns it.</returns>
    /// <exception cref="NetworkException">The kernel has no vsock, there is no such machine, or nobody listens there.</exception>
    public static int Connect(string target, uint cid, uint port, TimeSpan timeout)
    {
        int descriptor = New(target);
        byte* address = stackalloc byte[AddressBytes];
        Write(address, cid, port);
        int errno = Libc.connect(descriptor, address, AddressBytes) == 0 ? 0 : LinuxErrno.Last;
        if (errno is Libc.InProgress or Libc.Interrupted)
        {
            PollDescriptor polled = new() { Descriptor = descriptor, Events = PollDescriptor.Out };
            int length = sizeof(int);
            errno = Libc.poll(&polled, 1, (int)Math.Min(timeout.TotalMilliseconds, int.MaxValue)) <= 0
                ? Libc.TimedOut
                : Libc.getsockopt(descriptor, Libc.SocketLevel, Libc.ErrorOption, &errno, &length) == 0 ? errno : LinuxErrno.Last;
        }

        return errno == 0 ? descriptor : throw Closed(descriptor, "connect", target, errno);
    }

    /// <summary>Binds and listens.</summary>
    /// <param name="target">The endpoint, to name in errors.</param>
    /// <param name="cid">An address of this machine, or <see cref="AnyCid"/>.</param>
    /// <param name="port">32 bits.</param>
    /// <returns>Does not block; the caller owns it.</returns>
    /// <exception cref="NetworkException">The kernel has no vsock, or refuses the address.</exception>
    public static int Listen(string target, uint cid, uint port)
    {
        int descriptor = New(target);
        byte* address = stackalloc byte[AddressBytes];
        Write(address, cid, port);
        if (Libc.bind(descriptor, address, AddressBytes) != 0)
        {
            throw Closed(descriptor, "bind", target, LinuxErrno.Last);
        }

        return listen(descriptor, Backlog) == 0
            ? descriptor
            : throw Closed(descriptor, "listen", target, LinuxErrno.Last);
    }

    /// <summary>A connection that waits; -1 if none does.</summary>
    /// <returns>Does not block; the caller owns it.</returns>
    public static int Accept(int listener) => Libc.accept4_(listener, null, null, Libc.SocketCloseOnExec | Libc.NonBlocking);

    /// <summary>Half-closes: the peer gets the end.</summary>
    public static void EndSending(int descriptor) => _ = Libc.shutdown_(descriptor, Libc.ShutdownSend);

    private static int New(string target)
    {
        int descriptor = Libc.socket(Family, Libc.StreamType | Libc.SocketCloseOnExec | Libc.NonBlocking, 0);
        return descriptor >= 0 ? descriptor : throw DeviceFailure.Of("socket", target, LinuxErrno.Last);
    }

    private static NetworkException Closed(int descriptor, string operation, string target, int errno)
    {
        _ = Libc.close(descriptor);
        return DeviceFailure.Of(operation, target, errno);
    }

    /// <summary>struct sockaddr_vm.</summary>
    private static void Write(byte* address, uint cid, uint port)
    {
        new Span<byte>(address, AddressBytes).Clear();
        *(ushort*)address = Family;
        *(uint*)(address + PortAt) = port;
        *(uint*)(address + CidAt) = cid;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int socket, int backlog);
}
