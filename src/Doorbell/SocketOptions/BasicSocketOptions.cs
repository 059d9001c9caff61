using System.Net.Sockets;
using static Doorbell.SocketOptions.SocketKinds;
using static Doorbell.SocketOptions.SocketOptionKind;
using static Doorbell.SocketOptions.SocketOptionTime;

namespace Doorbell.SocketOptions;

/// <summary>SOL_SOCKET, the part that POSIX has too: socket(7), unix(7).</summary>
internal static class BasicSocketOptions
{
    private const string Admin = "it takes root or CAP_NET_ADMIN";
    private const string Ticks = "the kernel rounds it up to the ticks of its clock";

    /// <summary>The kinds of all; the name alone is this table's.</summary>
    private const SocketKinds Any = SocketKinds.All;

    public static readonly SocketOption[] All =
    [
        new("SO_DEBUG", 1, Flag, IP, "marks the socket for the kernel's own debugging")
        {
            DotNetName = "SocketOptionName.Debug", Privilege = Admin, Portable = SocketOptionName.Debug,
        },
        new("SO_REUSEADDR", 2, Flag, IP, "lets bind take a port that old connections in TIME_WAIT still have; UDP: shares it")
        {
            When = BeforeBind, JavaName = "StandardSocketOptions.SO_REUSEADDR",
            DotNetName = "SocketOptionName.ReuseAddress (which sets SO_REUSEPORT too)",
        },
        new("SO_TYPE", 3, Number, Any, "1 a stream, 2 datagrams")
        {
            IsReadOnly = true, DotNetName = "Socket.SocketType", Portable = SocketOptionName.Type,
        },
        new("SO_ERROR", 4, Number, Any, "the error that waits to be told, as errno; reading clears it")
        {
            IsReadOnly = true, DotNetName = "SocketOptionName.Error",
        },
        new("SO_DONTROUTE", 5, Flag, IP, "sends only to hosts of the own networks, past no router")
        {
            DotNetName = "SocketOptionName.DontRoute", Portable = SocketOptionName.DontRoute,
        },
        new("SO_BROADCAST", 6, Flag, Udp, "lets datagrams be sent to broadcast addresses")
        {
            DotNetName = "Socket.EnableBroadcast", JavaName = "StandardSocketOptions.SO_BROADCAST", Portable = SocketOptionName.Broadcast,
        },
        new("SO_SNDBUF", 7, Bytes, Any, "the send buffer; TCP otherwise sizes it by itself")
        {
            DotNetName = "Socket.SendBufferSize", JavaName = "StandardSocketOptions.SO_SNDBUF", Portable = SocketOptionName.SendBuffer,
        },
        new("SO_RCVBUF", 8, Bytes, Any, "the receive buffer; TCP otherwise sizes it by itself")
        {
            DotNetName = "Socket.ReceiveBufferSize", JavaName = "StandardSocketOptions.SO_RCVBUF",
            Portable = SocketOptionName.ReceiveBuffer,
        },
        new("SO_KEEPALIVE", 9, Flag, Tcp, "probes an idle connection, so that a peer which is gone is noticed")
        {
            DotNetName = "SocketOptionName.KeepAlive", JavaName = "StandardSocketOptions.SO_KEEPALIVE",
            Portable = SocketOptionName.KeepAlive,
        },
        new("SO_OOBINLINE", 10, Flag, Tcp, "leaves urgent data in the stream")
        {
            DotNetName = "SocketOptionName.OutOfBandInline", JavaName = "Socket.setOOBInline", Portable = SocketOptionName.OutOfBandInline,
        },
        new("SO_LINGER", 13, Linger, Tcp, "what close does with unsent data: on waits for it, on,0 drops it and resets the connection")
        {
            DotNetName = "Socket.LingerState", JavaName = "StandardSocketOptions.SO_LINGER", Portable = SocketOptionName.Linger,
        },
        new("SO_REUSEPORT", 15, Flag, IP, "lets several sockets of one user share a port, among which the kernel spreads the load")
        {
            When = BeforeBind, JavaName = "StandardSocketOptions.SO_REUSEPORT",
        },
        new("SO_RCVLOWAT", 18, Bytes, Streams, "reports readable only when so much is there")
        {
            Minimum = 1, DotNetName = "SocketOptionName.ReceiveLowWater", Change = "TCP bounds it by its receive buffer",
        },
        new("SO_SNDLOWAT", 19, Bytes, Any, "always 1 on Linux") { IsReadOnly = true, DotNetName = "SocketOptionName.SendLowWater" },
        new("SO_RCVTIMEO", 20, TimeVal, Any, "how long a blocking receive waits; 0 for ever")
        {
            DotNetName = "Socket.ReceiveTimeout", JavaName = "Socket.setSoTimeout", Change = Ticks,
        },
        new("SO_SNDTIMEO", 21, TimeVal, Any, "how long a blocking send or connect waits; 0 for ever")
        {
            DotNetName = "Socket.SendTimeout", Change = Ticks,
        },
        new("SO_ACCEPTCONN", 30, Flag, Any, "whether the socket listens")
        {
            IsReadOnly = true, DotNetName = "SocketOptionName.AcceptConnection",
        },
        new("SO_SNDBUFFORCE", 32, Bytes, Any, "as SO_SNDBUF, past net.core.wmem_max") { Privilege = Admin, ReadBackName = "SO_SNDBUF" },
        new("SO_RCVBUFFORCE", 33, Bytes, Any, "as SO_RCVBUF, past net.core.rmem_max") { Privilege = Admin, ReadBackName = "SO_RCVBUF" },
        new("SO_PROTOCOL", 38, Number, Any, "the protocol: 6 TCP, 17 UDP, 0 unix")
        {
            IsReadOnly = true, DotNetName = "Socket.ProtocolType",
        },
        new("SO_DOMAIN", 39, Number, Any, "the address family: 1 unix, 2 IPv4, 10 IPv6")
        {
            IsReadOnly = true, DotNetName = "Socket.AddressFamily",
        },
    ];
}
