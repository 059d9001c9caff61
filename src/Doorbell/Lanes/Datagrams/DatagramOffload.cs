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

        // Without it a lane learns of drops only when it asks.
        if (!IsAsked(bound, "SO_RXQ_OVFL"))
        {
            Set(bound.Socket, ControlMessage.SocketLevel, ControlMessage.ReceiveOverflow, 1);
        }

        // Setting "no segments" changes nothing and tells whether the option is there (Linux 4.18).
        bool joins = !IsAsked(bound, "UDP_SEGMENT") && Set(bound.Socket, ControlMessage.UdpLevel, ControlMessage.UdpSegment, 0);
        return new DatagramOffload(joins, IsBoundToAll(bound) && RawOptions.AskForLocalAddress(bound.Socket));
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

    private static bool IsBoundToAll(DoorSocket bound) => bound.Socket.LocalEndPoint is IPEndPoint { Address: { } address }
        && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    private static bool IsAsked(DoorSocket bound, string option) =>
        bound.Options.Any(outcome => outcome.Setting.Option.Name == option);

    private static bool Set(Socket socket, int level, int option, int value) =>
        SocketOptionCalls.Set((int)socket.SafeHandle.DangerousGetHandle(), level, option, BitConverter.GetBytes(value)) == 0;
}
