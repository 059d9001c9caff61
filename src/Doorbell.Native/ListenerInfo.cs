using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>What Linux tells of a listening socket through its options. Elsewhere, and where a sandbox refuses: nothing.</summary>
internal static class ListenerInfo
{
    private const int SolSocket = 1;
    private const int IpprotoTcp = 6;

    /// <summary>Waiting and limit of a TCP listener.</summary>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static (int Waiting, int Limit)? ReadQueue(Socket listener)
    {
        // On a listener the kernel puts the accept queue's length into tcpi_unacked and its limit into tcpi_sacked (tcp_get_info in
        // net/ipv4/tcp.c). In struct tcp_info (linux/tcp.h) they are 32-bit numbers, after eight bytes and four such numbers.
        const int TcpInfo = 11;
        const int Unacked = 24;
        const int Sacked = 28;
        Span<byte> info = stackalloc byte[Sacked + sizeof(uint)];
        return Read(listener, IpprotoTcp, TcpInfo, info) == info.Length
            ? (MemoryMarshal.Read<int>(info[Unacked..]), MemoryMarshal.Read<int>(info[Sacked..]))
            : null;
    }

    /// <summary>How many packets of new connections the kernel has dropped at this TCP listener.</summary>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static long? ReadDrops(Socket listener)
    {
        // SO_MEMINFO gives an array of 32-bit numbers; SK_MEMINFO_DROPS is its ninth (linux/sock_diag.h). What the kernel counts as
        // ListenDrops for the network namespace it counts there too, and besides what tcp_v4_rcv() discards for a handshake under way.
        const int SoMeminfo = 55;
        const int Drops = 8;
        Span<byte> numbers = stackalloc byte[(Drops + 1) * sizeof(uint)];
        return Read(listener, SolSocket, SoMeminfo, numbers) == numbers.Length
            ? MemoryMarshal.Read<uint>(numbers[(Drops * sizeof(uint))..])
            : null;
    }

    private static int Read(Socket socket, int level, int name, Span<byte> value)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        try
        {
            return socket.GetRawSocketOption(level, name, value);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
