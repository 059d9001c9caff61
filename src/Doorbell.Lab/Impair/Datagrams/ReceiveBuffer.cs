using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>
/// The receive buffer of one of the proxy's sockets: made large, since what finds it full is lost, and asked for what was lost.
/// </summary>
/// <param name="socket">Receives datagrams.</param>
/// <param name="way">Where losses are counted.</param>
internal sealed class ReceiveBuffer(Socket socket, DatagramWay way)
{
    private uint _counted;

    /// <summary>Whether something has come since it was last asked: before a loss something has.</summary>
    public bool HasReceived { get; set; }

    /// <summary>
    /// Makes it so large, past net.core.rmem_max if the process may (CAP_NET_ADMIN), otherwise as large as that. The kernel doubles the
    /// number, and counts by it what a datagram takes with all that belongs to it: 2,304 bytes for one of 1,000 (socket(7)).
    /// </summary>
    public void Enlarge(int bytes)
    {
        const int ReceiveBufferForce = 33;
        byte[] value = BitConverter.GetBytes(bytes);
        bool isForced = OperatingSystem.IsLinux()
            && SocketOptionCalls.Set((int)socket.Handle, Libc.SocketLevel, ReceiveBufferForce, value) == 0;
        if (isForced)
        {
            return;
        }

        try
        {
            socket.ReceiveBufferSize = bytes;
        }
        catch (SocketException)
        {
            // Where the system refuses what is too large, it stays as it is.
        }
    }

    /// <summary>Counts what the kernel has dropped since it was last asked.</summary>
    public void CountDrops(IArrivals arrivals)
    {
        HasReceived = false;
        if (!socket.SafeHandle.IsClosed && arrivals.DropsOf(socket) is { } total)
        {
            way.ReceiveBufferFull += total - _counted;
            _counted = total;
        }
    }
}
