using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>A socket that another process made and bound, and this one was given: asks the kernel what it is.</summary>
internal static class InheritedSocket
{
    /// <summary>Takes a listener or a datagram socket over; owns the descriptor from then on.</summary>
    /// <param name="descriptor">Its number in this process.</param>
    /// <param name="name">As the user named it, for errors.</param>
    /// <param name="options">What is to be set on it still, and on its connections.</param>
    /// <exception cref="NetworkException">It is closed, no socket, or not one that can be served.</exception>
    public static DoorSocket Adopt(int descriptor, string name, ListenOptions options)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new NetworkException(
                "adopt", name, "passed sockets need Linux", SocketError.OperationNotSupported, "give an address to listen on");
        }

        // What this process starts is to have none of it.
        if (Libc.fcntl(descriptor, Libc.SetDescriptorFlags, 1) != 0)
        {
            throw NetworkException.FromErrno("fcntl", name, LinuxErrno.Last);
        }

        try
        {
            Socket socket = Open(descriptor);
            Door door = DoorOf(socket, name);
            ServerSocketOptions asked = new(socket, options.SocketOptions, name);
            asked.OnceBound();
            uint dropped = door.Endpoint.IsStream ? 0 : LibcMessages.DropsOf(descriptor) ?? 0;
            return asked.Bound(door) with { IsPassed = true, DroppedBefore = dropped };
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("getsockname", name, failure);
        }
    }

    /// <summary>Where a connection came in.</summary>
    public static Endpoint DoorOfConnection(int descriptor)
    {
        using Socket socket = new(new SafeSocketHandle(descriptor, ownsHandle: false));
        return socket.LocalEndPoint switch
        {
            IPEndPoint ip => Endpoint.From(Transport.Tcp, ip),
            EndPoint unix => UnixEndpoint(Transport.Unix, unix),
            _ => Endpoint.Unix(Transport.Unix, "unnamed"),
        };
    }

    private static Socket Open(int descriptor) => new(new SafeSocketHandle(descriptor, ownsHandle: true));

    private static Door DoorOf(Socket socket, string name)
    {
        bool stream = socket.SocketType == SocketType.Stream;
        if (stream && !AcceptsConnections(socket))
        {
            const string What = "it is a connection or a socket that does not listen";
            throw new NetworkException("accept", name, What, SocketError.InvalidArgument, "give a listening socket");
        }

        switch (socket.LocalEndPoint)
        {
            case IPEndPoint ip:
                bool dualStack = ip.Address.Equals(IPAddress.IPv6Any) && socket.DualMode;
                return IPBinding.DoorOf(stream ? Transport.Tcp : Transport.Udp, ip.Address, ip.Port, dualStack);
            case { } unix:
                return new Door(UnixEndpoint(stream ? Transport.Unix : Transport.UnixDatagram, unix), Reach.ThisMachine);
            default:
                const string What = "it has no address";
                throw new NetworkException("getsockname", name, What, SocketError.InvalidArgument, "give a socket that is bound");
        }
    }

    /// <summary>SO_ACCEPTCONN (socket(7)).</summary>
    private static bool AcceptsConnections(Socket socket) =>
        socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is not 0;

    private static Endpoint UnixEndpoint(Transport transport, EndPoint address) => Endpoint.Unix(transport, $"{address}");
}
