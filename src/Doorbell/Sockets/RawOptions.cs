using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Sockets;

/// <summary>Socket options as the platform numbers them, where System.Net.Sockets has no name for exactly that.</summary>
internal static class RawOptions
{
    /// <summary>SO_REUSEADDR alone. On Windows it means something else (two servers on one port), and is not needed.</summary>
    public static void SetReuseAddress(Socket socket)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // SOL_SOCKET and SO_REUSEADDR: 1 and 2 on Linux, 0xffff and 4 on macOS and the BSDs (sys/socket.h).
        (int level, int name) = OperatingSystem.IsLinux() ? (1, 2) : (0xffff, 4);
        socket.SetRawSocketOption(level, name, BitConverter.GetBytes(1));
    }

    /// <summary>SO_REUSEPORT: several sockets on one port, over which the kernel spreads what comes. Linux alone spreads it.</summary>
    /// <exception cref="NetworkException">This is another system.</exception>
    public static void SetReusePort(Socket socket, string target)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new NetworkException(
                "bind", target, "to share a port needs Linux", SocketError.OperationNotSupported, "leave out ServerOptions.ReusePort");
        }

        const int SocketLevel = 1;
        const int ReusePort = 15;
        socket.SetRawSocketOption(SocketLevel, ReusePort, BitConverter.GetBytes(1));
    }

    /// <summary>Keeps programs that join the port later from getting what is for the first sockets on it. Linux.</summary>
    public static void GuardPort(Socket socket, int count)
    {
        if (OperatingSystem.IsLinux())
        {
            PortGuard.Attach((int)socket.SafeHandle.DangerousGetHandle(), count);
        }
    }

    /// <summary>
    /// Asks the kernel to note to which of our addresses each datagram came (IP_PKTINFO, ip(7); IPV6_RECVPKTINFO, ipv6(7)); before bind(2),
    /// so that none is missed. Linux.
    /// </summary>
    /// <returns>Whether it does.</returns>
    public static bool AskForLocalAddress(Socket socket)
    {
        // A dual-stack socket tells an IPv4 datagram's address by both; IP_PKTINFO's is fit for an answer even if that was a broadcast.
        bool of4 = TrySet(socket, ControlMessage.IPLevel, ControlMessage.PacketInfo);
        return socket.AddressFamily == AddressFamily.InterNetworkV6
            ? TrySet(socket, ControlMessage.IPv6Level, ControlMessage.ReceivePacketInfo6)
            : of4;
    }

    private static bool TrySet(Socket socket, int level, int option) =>
        SocketOptionCalls.Set((int)socket.SafeHandle.DangerousGetHandle(), level, option, BitConverter.GetBytes(1)) == 0;
}
