using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Datagrams;

/// <summary>What the kernel does for a lane's UDP socket, asked for and probed when the lane begins.</summary>
/// <param name="Joins">Whether runs of datagrams may be given to it as one (UDP_SEGMENT).</param>
/// <param name="Chooses">Whether an answer's source address is to be told (IP_PKTINFO): the socket is bound to all of them.</param>
internal readonly record struct DatagramOffload(bool Joins, bool Chooses)
{
    /// <summary>Asks for all that the kernel has and that fits the socket. A refusal costs speed, or knowledge, and is no error.</summary>
    public static DatagramOffload Of(DoorSocket bound)
    {
        if (bound.Door.Endpoint.IsUnix)
        {
            return default;
        }

        // What was asked for by --option stays as it was asked.
        if (!IsAsked(bound, "UDP_GRO"))
        {
            Set(bound.Socket, ControlMessage.UdpLevel, ControlMessage.UdpJoined, 1);
        }

        Set(bound.Socket, ControlMessage.SocketLevel, ControlMessage.ReceiveOverflow, 1);

        // Setting "no segments" changes nothing and tells whether the option is there (Linux 4.18).
        bool joins = !IsAsked(bound, "UDP_SEGMENT") && Set(bound.Socket, ControlMessage.UdpLevel, ControlMessage.UdpSegment, 0);
        return new DatagramOffload(joins, IsBoundToAll(bound) && AskForLocalAddress(bound.Socket));
    }

    /// <summary>
    /// For those who receive with recvfrom(2): no datagrams joined. A socket passed by another process may have been a batch lane's.
    /// </summary>
    public static void Refuse(DoorSocket bound)
    {
        if (OperatingSystem.IsLinux() && !bound.Door.Endpoint.IsUnix)
        {
            Set(bound.Socket, ControlMessage.UdpLevel, ControlMessage.UdpJoined, 0);
        }
    }

    /// <summary>Asks the kernel to note to which of our addresses each datagram came; before bind(2), so that none is missed.</summary>
    public static bool AskForLocalAddress(Socket socket)
    {
        // A dual-stack socket tells an IPv4 datagram's address by both; IP_PKTINFO's is fit for an answer even if that was a broadcast.
        bool of4 = Set(socket, ControlMessage.IPLevel, ControlMessage.PacketInfo, 1);
        return socket.AddressFamily == AddressFamily.InterNetworkV6
            ? Set(socket, ControlMessage.IPv6Level, ControlMessage.ReceivePacketInfo6, 1)
            : of4;
    }

    private static bool IsBoundToAll(DoorSocket bound) => bound.Socket.LocalEndPoint is IPEndPoint { Address: { } address }
        && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    private static bool IsAsked(DoorSocket bound, string option) =>
        bound.Options.Any(outcome => outcome.Setting.Option.Name == option);

    private static bool Set(Socket socket, int level, int option, int value) =>
        SocketOptionCalls.Set((int)socket.SafeHandle.DangerousGetHandle(), level, option, BitConverter.GetBytes(value)) == 0;
}
