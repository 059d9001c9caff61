using System.Net.Sockets;
using static Doorbell.SocketOptions.SocketKinds;
using static Doorbell.SocketOptions.SocketOptionKind;
using static Doorbell.SocketOptions.SocketOptionTime;

namespace Doorbell.SocketOptions;

/// <summary>IPPROTO_IPV6: ipv6(7), RFC 3493, RFC 3542 and linux/in6.h.</summary>
internal static class IPv6Options
{
    private const string Page = "ipv6(7)";
    private const string Header = "linux/in6.h";
    private const string Advanced = "RFC 3542";

    public static readonly SocketOption[] All =
    [
        new("IPV6_FLOWINFO", 11, Flag, Udp6, "tells with each recvmsg the packet's flow information") { Reference = Header },
        new("IPV6_UNICAST_HOPS", 16, Number, IPv6, "how many routers a packet may pass; -1: the route's default")
        {
            Minimum = -1, Maximum = 255, Unit = "hops", DotNetName = "Socket.Ttl", Reference = "ipv6(7), RFC 3493",
            Change = "-1 stands for the route's default",
        },
        new("IPV6_MULTICAST_IF", 17, Number, Udp6, "the interface that multicast leaves by, by its index")
        {
            Unit = "interface", DotNetName = "SocketOptionName.MulticastInterface",
            JavaName = "StandardSocketOptions.IP_MULTICAST_IF", Reference = Page,
        },
        new("IPV6_MULTICAST_HOPS", 18, Number, Udp6, "how many routers a multicast packet may pass")
        {
            Minimum = -1, Maximum = 255, Unit = "hops", DotNetName = "SocketOptionName.MulticastTimeToLive",
            JavaName = "StandardSocketOptions.IP_MULTICAST_TTL", Reference = Page, Change = "-1 stands for 1",
        },
        new("IPV6_MULTICAST_LOOP", 19, Flag, Udp6, "whether this machine gets the multicast it sends")
        {
            DotNetName = "SocketOptionName.MulticastLoopback", JavaName = "StandardSocketOptions.IP_MULTICAST_LOOP", Reference = Page,
        },
        new("IPV6_MTU_DISCOVER", 23, Number, IPv6, "whether packets may be cut where they start (path MTU discovery, RFC 8201)")
        {
            Maximum = 5, Range = "0 cut, 1 as the route says, 2 never, 3 and ignore the path's, 4 and 5 (linux/in6.h)",
            DotNetName = "Socket.DontFragment", JavaName = "ExtendedSocketOptions.IP_DONTFRAGMENT", Reference = Page,
        },
        new("IPV6_MTU", 24, Bytes, IPv6, "the largest packet that the path takes; once connected") { IsReadOnly = true, Reference = Page },
        new("IPV6_RECVERR", 25, Flag, IPv6, "passes ICMPv6 errors, also to a socket that is not connected, in an error queue")
        {
            Reference = Page,
        },
        new("IPV6_V6ONLY", 26, Flag, IPv6, "keeps IPv4 peers out of a socket that is bound to every address")
        {
            When = BeforeBind, DotNetName = "Socket.DualMode", Reference = "ipv6(7), RFC 3493", Portable = SocketOptionName.IPv6Only,
        },
        new("IPV6_MULTICAST_ALL", 29, Flag, Udp6, "whether groups joined by other sockets of this machine are received too")
        {
            Reference = Header,
        },
        new("IPV6_RECVERR_RFC4884", 31, Flag, Udp6, "with IPV6_RECVERR, passes ICMPv6's extensions too (RFC 4884)")
        {
            Reference = Header,
        },
        new("IPV6_FLOWINFO_SEND", 33, Flag, IPv6, "takes the flow information from the address that is sent to") { Reference = Header },
        new("IPV6_RECVPKTINFO", 49, Flag, Udp6, "tells with each recvmsg the address and interface the datagram came to")
        {
            DotNetName = "SocketOptionName.PacketInformation", Reference = "ipv6(7), RFC 3542",
        },
        new("IPV6_RECVHOPLIMIT", 51, Flag, Udp6, "tells with each recvmsg the packet's hop limit")
        {
            DotNetName = "SocketOptionName.HopLimit", Reference = Advanced,
        },
        new("IPV6_RECVHOPOPTS", 53, Flag, Udp6, "tells with each recvmsg the hop-by-hop options") { Reference = Advanced },
        new("IPV6_RECVRTHDR", 56, Flag, Udp6, "tells with each recvmsg the routing header") { Reference = Advanced },
        new("IPV6_RECVDSTOPTS", 58, Flag, Udp6, "tells with each recvmsg the destination options") { Reference = Advanced },
        new("IPV6_RECVPATHMTU", 60, Flag, Udp6, "tells with recvmsg when the path's MTU has changed") { Reference = Advanced },
        new("IPV6_DONTFRAG", 62, Flag, IPv6, "never cuts a datagram: one that is too long is refused") { Reference = Advanced },
        new("IPV6_RECVTCLASS", 66, Flag, Udp6, "tells with each recvmsg the packet's traffic class") { Reference = Advanced },
        new("IPV6_TCLASS", 67, Number, IPv6, "the byte of each packet that asks for a class of service: DSCP and ECN; -1: 0")
        {
            Minimum = -1, Maximum = 255, JavaName = "StandardSocketOptions.IP_TOS", Reference = Advanced,
            Change = "the two lowest bits are ECN's, which TCP keeps to itself (RFC 3168); -1 stands for 0",
        },
        new("IPV6_AUTOFLOWLABEL", 70, Flag, IPv6, "gives packets a flow label made from their addresses and ports (RFC 6438)")
        {
            Reference = Header,
        },
        new("IPV6_ADDR_PREFERENCES", 72, Number, IPv6, "which of the machine's addresses to call from (RFC 5014)")
        {
            Maximum = 0xfff, Range = "1 temporary, 2 public, 256 either; 4, 1024 mobile home", Reference = "RFC 5014",
            Change = "the kernel adds the defaults of what was not said",
        },
        new("IPV6_MINHOPCOUNT", 73, Number, IPv6, "drops packets whose hop limit is less (RFC 5082)")
        {
            Maximum = 255, Unit = "hops", Reference = Header,
        },
        new("IPV6_RECVORIGDSTADDR", 74, Flag, Udp6, "tells with each recvmsg where the datagram was first sent to; for proxies")
        {
            Reference = Header,
        },
        new("IPV6_TRANSPARENT", 75, Flag, IPv6, "lets a proxy bind to and answer from addresses of others")
        {
            When = BeforeBind, Reference = Header, Privilege = "it takes root, CAP_NET_ADMIN or CAP_NET_RAW",
        },
        new("IPV6_UNICAST_IF", 76, Number, IPv6, "the interface that packets leave by, by its index; 0 for any")
        {
            IsBigEndian = true, Unit = "interface", Reference = Header,
        },
        new("IPV6_RECVFRAGSIZE", 77, Flag, Udp6, "tells with each recvmsg the size of the largest fragment") { Reference = Header },
        new("IPV6_FREEBIND", 78, Flag, IPv6, "lets bind take an address that the machine does not have yet")
        {
            When = BeforeBind, Reference = Header,
        },
    ];
}
