using System.Net.Sockets;

namespace Doorbell.SocketOptions;

/// <summary>Kinds of socket: what an option has an effect on, or what one socket is.</summary>
[Flags]
public enum SocketKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>TCP over IPv4.</summary>
    Tcp4 = 1,

    /// <summary>TCP over IPv6.</summary>
    Tcp6 = 2,

    /// <summary>UDP over IPv4.</summary>
    Udp4 = 4,

    /// <summary>UDP over IPv6.</summary>
    Udp6 = 8,

    /// <summary>A unix stream socket.</summary>
    UnixStream = 16,

    /// <summary>A unix datagram socket.</summary>
    UnixDatagram = 32,

    /// <summary>TCP over either family.</summary>
    Tcp = Tcp4 | Tcp6,

    /// <summary>UDP over either family.</summary>
    Udp = Udp4 | Udp6,

    /// <summary>Unix sockets.</summary>
    Unix = UnixStream | UnixDatagram,

    /// <summary>All over IPv4.</summary>
    IPv4 = Tcp4 | Udp4,

    /// <summary>All over IPv6.</summary>
    IPv6 = Tcp6 | Udp6,

    /// <summary>All over IP.</summary>
    IP = IPv4 | IPv6,

    /// <summary>All that carry datagrams.</summary>
    Datagrams = Udp | UnixDatagram,

    /// <summary>All that carry streams.</summary>
    Streams = Tcp | UnixStream,

    /// <summary>All.</summary>
    All = IP | Unix,
}

/// <summary>Which kind a socket is.</summary>
internal static class SocketKindsOf
{
    /// <summary>A dual-stack IPv6 socket is of both families: what is set for IPv4 holds for its IPv4 peers (ipv6(7)).</summary>
    public static SocketKinds Socket(Socket socket)
    {
        bool stream = socket.SocketType == SocketType.Stream;
        SocketKinds transport = stream ? SocketKinds.Streams : SocketKinds.Datagrams;
        return transport & (socket.AddressFamily switch
        {
            AddressFamily.InterNetwork => SocketKinds.IPv4,
            AddressFamily.InterNetworkV6 => socket.DualMode ? SocketKinds.IP : SocketKinds.IPv6,
            AddressFamily.Unix => SocketKinds.Unix,
            _ => SocketKinds.None,
        });
    }

    /// <summary>Those that sockets of an endpoint's transport can be.</summary>
    public static SocketKinds Transport(Transport transport) => transport switch
    {
        Doorbell.Transport.Tcp => SocketKinds.Tcp,
        Doorbell.Transport.Udp => SocketKinds.Udp,
        Doorbell.Transport.Unix => SocketKinds.UnixStream,
        _ => SocketKinds.UnixDatagram,
    };

    /// <summary>As a sentence names them.</summary>
    public static string Words(SocketKinds kinds) => kinds switch
    {
        SocketKinds.None => "no kind of socket that there is here",
        SocketKinds.All => "all sockets",
        SocketKinds.Datagrams => "UDP and unix datagrams",
        SocketKinds.Streams => "TCP and unix streams",
        SocketKinds.IP => "TCP and UDP",
        SocketKinds.IPv4 => "IPv4",
        SocketKinds.IPv6 => "IPv6",
        SocketKinds.Tcp => "TCP",
        SocketKinds.Udp => "UDP",
        SocketKinds.Udp4 => "UDP over IPv4",
        SocketKinds.Udp6 => "UDP over IPv6",
        SocketKinds.Unix => "unix sockets",
        _ => kinds.ToString(),
    };
}
