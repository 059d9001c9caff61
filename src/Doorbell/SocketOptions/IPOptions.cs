using System.Net.Sockets;
using static Doorbell.SocketOptions.SocketKinds;
using static Doorbell.SocketOptions.SocketOptionKind;
using static Doorbell.SocketOptions.SocketOptionTime;

namespace Doorbell.SocketOptions;

/// <summary>IPPROTO_IP: ip(7) and linux/in.h. On a dual-stack socket they hold for its IPv4 peers.</summary>
internal static class IPOptions
{
    private const string Page = "ip(7)";
    private const string Header = "linux/in.h";

    public static readonly SocketOption[] All =
    [
        new("IP_TOS", 1, Number, IPv4, "the byte of each packet that asks for a class of service: DSCP and ECN (RFC 2474)")
        {
            Maximum = 255, DotNetName = "SocketOptionName.TypeOfService", JavaName = "StandardSocketOptions.IP_TOS", Reference = Page,
            Portable = SocketOptionName.TypeOfService, Change = "the two lowest bits are ECN's, which TCP keeps to itself (RFC 3168)",
        },
        new("IP_TTL", 2, Number, IPv4, "how many routers a packet may pass; -1: net.ipv4.ip_default_ttl")
        {
            Minimum = -1, Maximum = 255, Range = "1 to 255, or -1", Unit = "hops", DotNetName = "Socket.Ttl", Reference = Page,
            Portable = SocketOptionName.IpTimeToLive, Change = "-1 stands for net.ipv4.ip_default_ttl",
        },
        new("IP_RECVOPTS", 6, Flag, Udp4, "tells with each recvmsg the options of the packet's header") { Reference = Page },
        new("IP_RETOPTS", 7, Flag, Udp4, "as IP_RECVOPTS, with the options as they came") { Reference = Page },
        new("IP_PKTINFO", 8, Flag, Udp4, "tells with each recvmsg the address and interface the datagram came to")
        {
            DotNetName = "SocketOptionName.PacketInformation", Reference = Page,
        },
        new("IP_MTU_DISCOVER", 10, Number, IPv4, "whether packets may be cut on their way (path MTU discovery, RFC 1191)")
        {
            Maximum = 5, Range = "0 never don't-fragment, 1 as the route says, 2 always, 3 and ignore the path's, 4 and 5 (linux/in.h)",
            DotNetName = "Socket.DontFragment", JavaName = "ExtendedSocketOptions.IP_DONTFRAGMENT", Reference = Page,
        },
        new("IP_RECVERR", 11, Flag, IPv4, "passes ICMP errors, also to a socket that is not connected, in an error queue")
        {
            Reference = Page,
        },
        new("IP_RECVTTL", 12, Flag, Udp4, "tells with each recvmsg the packet's TTL") { Reference = Page },
        new("IP_RECVTOS", 13, Flag, Udp4, "tells with each recvmsg the packet's TOS byte") { Reference = Page },
        new("IP_MTU", 14, Bytes, IPv4, "the largest packet that the path takes; once connected") { IsReadOnly = true, Reference = Page },
        new("IP_FREEBIND", 15, Flag, IPv4, "lets bind take an address that the machine does not have yet")
        {
            When = BeforeBind, Reference = Page,
        },
        new("IP_PASSSEC", 18, Flag, Udp4, "tells with each recvmsg the peer's security context") { Reference = Page },
        new("IP_TRANSPARENT", 19, Flag, IPv4, "lets a proxy bind to and answer from addresses of others")
        {
            When = BeforeBind, Reference = Page, Privilege = "it takes root, CAP_NET_ADMIN or CAP_NET_RAW",
        },
        new("IP_RECVORIGDSTADDR", 20, Flag, Udp4, "tells with each recvmsg where the datagram was first sent to; for proxies")
        {
            Reference = Page,
        },
        new("IP_MINTTL", 21, Number, IPv4, "drops packets whose TTL is less (RFC 5082)")
        {
            Maximum = 255, Unit = "hops", Reference = Header,
        },
        new("IP_CHECKSUM", 23, Flag, Udp4, "tells with each recvmsg the packet's checksum") { Reference = Header },
        new("IP_BIND_ADDRESS_NO_PORT", 24, Flag, IPv4, "bind to port 0 leaves the port to connect, which can share more of them")
        {
            When = BeforeConnect, Reference = Page,
        },
        new("IP_RECVFRAGSIZE", 25, Flag, Udp4, "tells with each recvmsg the size of the largest fragment") { Reference = Header },
        new("IP_RECVERR_RFC4884", 26, Flag, Udp4, "with IP_RECVERR, passes ICMP's extensions too (RFC 4884)") { Reference = Header },
        new("IP_MULTICAST_IF", 32, SocketOptionKind.Address, Udp4, "the interface that multicast leaves by, by its address")
        {
            DotNetName = "SocketOptionName.MulticastInterface", JavaName = "StandardSocketOptions.IP_MULTICAST_IF", Reference = Page,
        },
        new("IP_MULTICAST_TTL", 33, Number, Udp4, "how many routers a multicast packet may pass")
        {
            Minimum = -1, Maximum = 255, Unit = "hops", DotNetName = "SocketOptionName.MulticastTimeToLive",
            JavaName = "StandardSocketOptions.IP_MULTICAST_TTL", Reference = Page, Portable = SocketOptionName.MulticastTimeToLive,
            Change = "-1 stands for 1",
        },
        new("IP_MULTICAST_LOOP", 34, Flag, Udp4, "whether this machine gets the multicast it sends")
        {
            DotNetName = "SocketOptionName.MulticastLoopback", JavaName = "StandardSocketOptions.IP_MULTICAST_LOOP", Reference = Page,
            Portable = SocketOptionName.MulticastLoopback,
        },
        new("IP_MULTICAST_ALL", 49, Flag, Udp4, "whether groups joined by other sockets of this machine are received too")
        {
            Reference = Page,
        },
        new("IP_UNICAST_IF", 50, Number, IPv4, "the interface that packets leave by, by its index; 0 for any")
        {
            IsBigEndian = true, Unit = "interface", Reference = Header,
        },
        new("IP_LOCAL_PORT_RANGE", 51, Number, IP, "the ports to choose a free one from: the least plus 65536 times the greatest")
        {
            Maximum = uint.MaxValue, When = BeforeBind, Reference = "ip(7)",
        },
        new("IP_PROTOCOL", 52, Number, IP, "the protocol's number") { IsReadOnly = true, Reference = Header },
    ];
}
