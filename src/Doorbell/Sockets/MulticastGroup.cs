using System.Net;
using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Sockets;

/// <summary>
/// What a socket does about an address that stands for a group of sockets (RFC 1112, RFC 3493 section 5.2). A membership is the socket's:
/// it ends when the last descriptor of the socket is closed (ip(7), IP_ADD_MEMBERSHIP).
/// </summary>
internal static class MulticastGroup
{
    /// <summary>Whether it is one: 224.0.0.0/4 (RFC 1112 section 4), ff00::/8 (RFC 4291 section 2.7).</summary>
    public static bool Is(IPAddress address) => address.IsIPv6Multicast
        || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] >> 4 == 224 >> 4);

    /// <summary>
    /// Whether an address is a broadcast one. The kernel knows that from its routes, and refuses such an address to a socket without
    /// SO_BROADCAST (ip(7)).
    /// </summary>
    public static bool IsBroadcast(IPEndPoint address)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }

        using Socket trial = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            trial.Connect(address);
            return false;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.AccessDenied;
        }
    }

    /// <summary>
    /// What to bind a member to: the group's address, so that nothing else comes to the socket. Windows binds no socket to a group.
    /// </summary>
    public static IPEndPoint BindingOf(IPEndPoint group) => !OperatingSystem.IsWindows() ? group
        : new IPEndPoint(group.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, group.Port);

    /// <summary>
    /// On Linux a socket hears what comes for a group that any socket of the machine has joined, on whatever interface, unless it is told
    /// otherwise (ip(7), IP_MULTICAST_ALL; IPV6_MULTICAST_ALL, Linux 4.20). An older kernel keeps its way.
    /// </summary>
    public static void LimitToJoined(Socket socket)
    {
        const int MulticastAll = 49;
        const int MulticastAll6 = 29;
        if (OperatingSystem.IsLinux())
        {
            // A socket of both families has both options; one of IPv4 lacks the other, which is refused then.
            int descriptor = (int)socket.SafeHandle.DangerousGetHandle();
            _ = SocketOptionCalls.Set(descriptor, ControlMessage.IPLevel, MulticastAll, BitConverter.GetBytes(0));
            _ = SocketOptionCalls.Set(descriptor, ControlMessage.IPv6Level, MulticastAll6, BitConverter.GetBytes(0));
        }
    }

    /// <summary>On which interface a socket has joined a group; 0 if that is not known. Linux.</summary>
    public static int InterfaceOf(Socket socket, IPAddress group)
    {
        // getsockopt(MCAST_MSFILTER) with struct group_filter (RFC 3678 section 5.2.1): the interface, the group's socket address, and room
        // for the mode and the number of sources. It is refused if the socket is no member there (EADDRNOTAVAIL).
        const int Filter = 48;
        const int AddressAt = 8;
        byte[] filter = new byte[144];
        SocketAddress address = new IPEndPoint(group.AddressFamily == AddressFamily.InterNetwork ? group : Bare(group), 0).Serialize();
        int level = group.AddressFamily == AddressFamily.InterNetwork ? ControlMessage.IPLevel : ControlMessage.IPv6Level;
        foreach (int index in SocketOptionCalls.Interfaces())
        {
            Array.Clear(filter);
            BitConverter.TryWriteBytes(filter, index);
            address.Buffer.Span[..address.Size].CopyTo(filter.AsSpan(AddressAt));
            if (SocketOptionCalls.Get((int)socket.SafeHandle.DangerousGetHandle(), level, Filter, filter, out _) == 0)
            {
                return index;
            }
        }

        return 0;
    }

    /// <summary>The address without an interface.</summary>
    public static IPAddress Bare(IPAddress address) => address.IsIPv6Multicast ? new IPAddress(address.GetAddressBytes()) : address;

    /// <param name="socket">Bound to the group.</param>
    /// <param name="group">The group.</param>
    /// <param name="networkInterface">Where to join; 0 for the interface that the routes choose.</param>
    /// <param name="target">The endpoint, for errors.</param>
    /// <exception cref="NetworkException">There is no such interface, or no route chooses one.</exception>
    /// <exception cref="SocketException">The same, on other systems than Linux.</exception>
    public static void Join(Socket socket, IPAddress group, int networkInterface, string target)
    {
        bool is4 = group.AddressFamily == AddressFamily.InterNetwork;
        if (OperatingSystem.IsLinux())
        {
            // Not by SetSocketOption, which has no name for ENODEV, the most likely refusal.
            int errno = is4 ? Join4(socket, group, networkInterface) : Join6(socket, group);
            if (errno != 0)
            {
                throw NetworkException.FromErrno("join", target, errno);
            }
        }
        else if (is4)
        {
            MulticastOption membership = new(group, networkInterface);
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, membership);
        }
        else
        {
            IPv6MulticastOption membership = new(group, group.ScopeId);
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, membership);
        }
    }

    /// <summary>Sends to groups by this interface, whatever the routes say (IP_MULTICAST_IF, IPV6_MULTICAST_IF).</summary>
    /// <exception cref="SocketException">There is no such interface.</exception>
    public static void SendBy(Socket socket, int networkInterface)
    {
        // For IPv4 the index is told from an address by its byte order (Socket.SetSocketOption, MulticastInterface).
        bool is4 = socket.AddressFamily == AddressFamily.InterNetwork;
        socket.SetSocketOption(
            is4 ? SocketOptionLevel.IP : SocketOptionLevel.IPv6,
            SocketOptionName.MulticastInterface,
            is4 ? IPAddress.HostToNetworkOrder(networkInterface) : networkInterface);
    }

    /// <summary>IP_ADD_MEMBERSHIP takes struct ip_mreqn: the group, an address of ours, the interface (ip(7)).</summary>
    private static int Join4(Socket socket, IPAddress group, int networkInterface)
    {
        const int AddMembership = 35;
        byte[] membership = new byte[12];
        group.TryWriteBytes(membership, out _);
        BitConverter.TryWriteBytes(membership.AsSpan(8), networkInterface);
        return SocketOptionCalls.Set(
            (int)socket.SafeHandle.DangerousGetHandle(), ControlMessage.IPLevel, AddMembership, membership);
    }

    /// <summary>IPV6_JOIN_GROUP takes struct ipv6_mreq: the group, the interface (RFC 3493 section 5.2).</summary>
    private static int Join6(Socket socket, IPAddress group)
    {
        const int JoinGroup = 20;
        byte[] membership = new byte[20];
        group.TryWriteBytes(membership, out _);
        BitConverter.TryWriteBytes(membership.AsSpan(16), (int)group.ScopeId);
        return SocketOptionCalls.Set(
            (int)socket.SafeHandle.DangerousGetHandle(), ControlMessage.IPv6Level, JoinGroup, membership);
    }
}
