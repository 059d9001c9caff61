using System.Net.Sockets;
using System.Net;
using Doorbell.Native;

namespace Doorbell.Lanes.Datagrams;

/// <summary>A UDP socket that a handler has asked for.</summary>
internal static class OpenedSocket
{
    /// <summary>Binds a socket.</summary>
    /// <param name="opener">The socket of the handler that asks.</param>
    /// <param name="local">The address to bind to; <see cref="AddressKind.None"/> for any free port of the opener's address.</param>
    /// <exception cref="SocketException">The system refuses it.</exception>
    public static Socket Bind(Socket opener, PeerAddress local)
    {
        IPEndPoint address = local.Kind != AddressKind.None ? local.ToIPEndPoint()
            : opener.LocalEndPoint is IPEndPoint own ? new IPEndPoint(own.Address, 0)
            : throw new SocketException((int)SocketError.AddressFamilyNotSupported); // a unix socket has no address to open another port of
        Socket socket = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (opener.AddressFamily == AddressFamily.InterNetworkV6 && address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = opener.DualMode;
            }

            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The address that a datagram socket is bound to, as a handler is told it.</summary>
    public static PeerAddress LocalOf(Socket socket) => SocketAddresses.Of(socket.LocalEndPoint);
}
