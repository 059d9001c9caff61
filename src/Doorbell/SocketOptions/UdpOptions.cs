using static Doorbell.SocketOptions.SocketKinds;
using static Doorbell.SocketOptions.SocketOptionKind;

namespace Doorbell.SocketOptions;

/// <summary>IPPROTO_UDP: udp(7) and linux/udp.h.</summary>
internal static class UdpOptions
{
    public static readonly SocketOption[] All =
    [
        new("UDP_CORK", 1, Flag, Udp, "collects what is sent into one datagram until it is turned off") { Reference = "udp(7)" },
        new("UDP_ENCAP", 100, Number, Udp, "takes encapsulated packets, such as ESP in UDP")
        {
            Maximum = 7, Range = "0, 2 (ESP, RFC 3948) and others of linux/udp.h", Reference = "linux/udp.h",
        },
        new("UDP_NO_CHECK6_TX", 101, Flag, Udp6, "sends with no checksum, as some tunnels do (RFC 6935)") { Reference = "RFC 6935" },
        new("UDP_NO_CHECK6_RX", 102, Flag, Udp6, "takes datagrams that have no checksum (RFC 6935)") { Reference = "RFC 6935" },
        new("UDP_SEGMENT", 103, Bytes, Udp, "cuts what one send gives into datagrams of this size (GSO); 0 for not at all")
        {
            Maximum = ushort.MaxValue, Reference = "udp(7)",
        },
        new("UDP_GRO", 104, Flag, Udp, "receives runs of datagrams as one; for programs that cut them apart again")
        {
            Reference = "udp(7)",
        },
    ];
}
