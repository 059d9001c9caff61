using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>A socket that another process made and bound, and this one was given: asks the kernel what it is.</summary>
internal static class InheritedSocket
{
    private const int DatagramType = 2;
    private const int Udp = 17;
    private const int MultipathTcp = 262;

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

        RequireServable(descriptor, name);
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

    /// <summary>Whether it is a stream's socket that has a peer and listens for none.</summary>
    public static unsafe bool IsConnection(int descriptor)
    {
        const int MaxAddress = 128;
        const int Type = 3;
        const int AcceptsConnections = 30;
        byte* peer = stackalloc byte[MaxAddress];
        int length = MaxAddress;
        return TryRead(descriptor, Type, out int type) && type == Libc.StreamType
            && TryRead(descriptor, AcceptsConnections, out int accepts) && accepts == 0
            && Libc.getpeername(descriptor, peer, &length) == 0;
    }

    /// <summary>Takes a connection over; owns the descriptor from then on.</summary>
    /// <param name="descriptor">As <see cref="IsConnection"/> has found it.</param>
    /// <param name="name">As the user named it, for errors.</param>
    /// <exception cref="NetworkException">It is not one that can be served.</exception>
    public static void AdoptConnection(int descriptor, string name)
    {
        RequireServable(descriptor, name);

        // What this process starts is to have none of it.
        _ = Libc.fcntl(descriptor, Libc.SetDescriptorFlags, 1);
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

    /// <summary>A socket that only looks like one that is served fails at each connection, or answers what isn't meant for it.</summary>
    /// <exception cref="NetworkException">It is of another kind, or no socket.</exception>
    private static void RequireServable(int descriptor, string name)
    {
        const int Type = 3;
        const int Protocol = 38;
        const int Family = 39;
        int type = Read(descriptor, Type, name);
        int family = Read(descriptor, Family, name);
        int protocol = Read(descriptor, Protocol, name);
        bool isServed = (family, type) switch
        {
            (Libc.UnixFamily, Libc.StreamType or DatagramType) => true,
            (Libc.IPv4Family or Libc.IPv6Family, Libc.StreamType) => protocol is Libc.TcpLevel or MultipathTcp,
            (Libc.IPv4Family or Libc.IPv6Family, DatagramType) => protocol is Udp,
            _ => false,
        };
        if (!isServed)
        {
            string what = $"it is a {NameOfType(type)} socket of {NameOfFamily(family)}, protocol {protocol}, which is not served";
            throw new NetworkException(
                "adopt", name, what, SocketError.SocketNotSupported,
                "pass a TCP or unix stream listener, or a UDP or unix datagram socket");
        }
    }

    private static int Read(int descriptor, int option, string name) =>
        TryRead(descriptor, option, out int value) ? value : throw NetworkException.FromErrno("getsockopt", name, LinuxErrno.Last);

    private static unsafe bool TryRead(int descriptor, int option, out int value)
    {
        int read;
        int length = sizeof(int);
        bool isRead = Libc.getsockopt(descriptor, Libc.SocketLevel, option, &read, &length) == 0;
        value = isRead ? read : 0;
        return isRead;
    }

    /// <summary>As socket(2) has it.</summary>
    private static string NameOfType(int type) => type switch
    {
        Libc.StreamType => "SOCK_STREAM",
        DatagramType => "SOCK_DGRAM",
        3 => "SOCK_RAW",
        4 => "SOCK_RDM",
        5 => "SOCK_SEQPACKET",
        6 => "SOCK_DCCP",
        10 => "SOCK_PACKET",
        _ => $"type {type}",
    };

    /// <summary>As address_families(7) has it.</summary>
    private static string NameOfFamily(int family) => family switch
    {
        Libc.UnixFamily => "AF_UNIX",
        Libc.IPv4Family => "AF_INET",
        Libc.IPv6Family => "AF_INET6",
        16 => "AF_NETLINK",
        17 => "AF_PACKET",
        29 => "AF_CAN",
        31 => "AF_BLUETOOTH",
        38 => "AF_ALG",
        40 => "AF_VSOCK",
        44 => "AF_XDP",
        _ => $"address family {family}",
    };

    private static Socket Open(int descriptor) => new(new SafeSocketHandle(descriptor, ownsHandle: true));

    private static Door DoorOf(Socket socket, string name)
    {
        bool stream = socket.SocketType == SocketType.Stream;
        if (stream && !AcceptsConnections(socket))
        {
            const string What = "it is a connection or a socket that does not listen";
            throw new NetworkException("accept", name, What, SocketError.InvalidArgument,
                "give a listening socket, or one connection as the only endpoint");
        }

        switch (socket.LocalEndPoint)
        {
            case IPEndPoint ip:
                bool dualStack = ip.Address.Equals(IPAddress.IPv6Any) && socket.DualMode;
                return MulticastGroup.Is(ip.Address)
                    ? DoorOfGroup(socket, ip)
                    : IPBinding.DoorOf(stream ? Transport.Tcp : Transport.Udp, ip.Address, ip.Port, dualStack);
            case { } unix:
                return new Door(UnixEndpoint(stream ? Transport.Unix : Transport.UnixDatagram, unix), Reach.ThisMachine);
            default:
                const string What = "it has no address";
                throw new NetworkException("getsockname", name, What, SocketError.InvalidArgument, "give a socket that is bound");
        }
    }

    /// <summary>The interface is part of a group's name: the same group on another one is another door.</summary>
    private static Door DoorOfGroup(Socket socket, IPEndPoint group)
    {
        int networkInterface = MulticastGroup.InterfaceOf(socket, group.Address);
        bool isZoned6 = group.Address.IsIPv6Multicast && networkInterface != 0;
        IPAddress address = isZoned6 ? new IPAddress(group.Address.GetAddressBytes(), networkInterface) : group.Address;
        return IPBinding.DoorOf(Transport.Udp, address, group.Port, dualStack: false, networkInterface);
    }

    /// <summary>SO_ACCEPTCONN (socket(7)).</summary>
    private static bool AcceptsConnections(Socket socket) =>
        socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is not 0;

    private static Endpoint UnixEndpoint(Transport transport, EndPoint address) =>
        Endpoint.Unix(transport, SocketAddresses.Of(address).Path!);
}
