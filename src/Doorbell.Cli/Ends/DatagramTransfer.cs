using System.Net;
using System.Net.Sockets;

namespace Doorbell.Cli.Ends;

/// <summary>
/// Datagrams to one address and back. A socket for a group or a broadcast address is not connected: the answers come from other addresses.
/// </summary>
internal static class DatagramTransfer
{
    /// <summary>Sends a datagram.</summary>
    /// <param name="socket">As <see cref="Connector.ConnectDatagrams(Endpoint, EndPoint, ClientOptions)"/> makes it.</param>
    /// <param name="datagram">Its bytes.</param>
    /// <param name="to">The address that the socket was made for.</param>
    public static void Send(Socket socket, byte[] datagram, EndPoint to) =>
        _ = socket.Connected ? socket.Send(datagram) : socket.SendTo(datagram, to);

    /// <summary>Receives a datagram. Of many peers any one's counts that comes from the port asked.</summary>
    /// <param name="socket">As above.</param>
    /// <param name="buffer">Where it comes to.</param>
    /// <param name="asked">The address that the socket was made for.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>How many bytes it has.</returns>
    public static async ValueTask<int> ReceiveAsync(Socket socket, Memory<byte> buffer, EndPoint asked, CancellationToken cancellation)
    {
        if (socket.Connected)
        {
            return await socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);
        }

        while (true)
        {
            SocketReceiveFromResult got = await socket.ReceiveFromAsync(buffer, SocketFlags.None, asked, cancellation);
            if (((IPEndPoint)got.RemoteEndPoint).Port == ((IPEndPoint)asked).Port)
            {
                return got.ReceivedBytes;
            }
        }
    }
}
