using static Doorbell.SocketOptions.SocketKinds;
using static Doorbell.SocketOptions.SocketOptionKind;
using static Doorbell.SocketOptions.SocketOptionTime;

namespace Doorbell.SocketOptions;

/// <summary>SOL_SOCKET, the part that is Linux's own: socket(7), unix(7) and asm-generic/socket.h.</summary>
internal static class LinuxSocketOptions
{
    private const string Admin = "it takes root or CAP_NET_ADMIN";
    private const string Header = "asm-generic/socket.h";

    /// <summary>The kinds of all; the name alone is this table's.</summary>
    private const SocketKinds Any = SocketKinds.All;

    public static readonly SocketOption[] All =
    [
        new("SO_NO_CHECK", 11, Flag, Udp4, "sends UDP without a checksum") { Reference = Header },
        new("SO_PRIORITY", 12, Number, IP, "the queueing class of what is sent; 7 and up takes CAP_NET_ADMIN")
        {
            Maximum = uint.MaxValue, Inherited = None, Privilege = Admin,
        },
        new("SO_BSDCOMPAT", 14, Flag, None, "obsolete: the kernel takes it and does nothing")
        {
            Change = "since Linux 2.4 the kernel takes it and does nothing",
        },
        new("SO_PASSCRED", 16, Flag, Unix, "tells with each recvmsg the sender's process and user")
        {
            Inherited = UnixStream, Reference = "unix(7)",
        },
        new("SO_BINDTODEVICE", 25, Text, IP, "keeps the socket to one interface; empty for any")
        {
            When = BeforeBind, Range = "an interface's name, as in lo", Privilege = "to change it takes root or CAP_NET_RAW",
        },
        new("SO_TIMESTAMP", 29, Flag, IP | UnixDatagram, "tells with each recvmsg when the data came, to the microsecond"),
        new("SO_PEERSEC", 31, Text, Unix, "the peer's security context") { IsReadOnly = true, Reference = "unix(7)" },
        new("SO_PASSSEC", 34, Flag, Unix, "tells with each recvmsg the sender's security context")
        {
            Inherited = UnixStream, Reference = "unix(7)",
        },
        new("SO_TIMESTAMPNS", 35, Flag, IP | UnixDatagram, "tells with each recvmsg when the data came, to the nanosecond"),
        new("SO_MARK", 36, Number, IP, "a mark on each packet sent, for routing and firewall rules")
        {
            Maximum = uint.MaxValue, Privilege = "it takes root, CAP_NET_ADMIN or CAP_NET_RAW",
        },
        new("SO_TIMESTAMPING", 37, Number, IP, "which times of packets the kernel or the card takes: bits of linux/net_tstamp.h")
        {
            Range = "bits of linux/net_tstamp.h that this kernel has", Reference = "kernel: networking/timestamping",
        },
        new("SO_RXQ_OVFL", 40, Flag, Udp, "tells with each recvmsg how many datagrams were dropped since the socket was made"),
        new("SO_WIFI_STATUS", 41, Flag, Udp, "tells whether a Wi-Fi frame was acknowledged") { Reference = Header },
        new("SO_PEEK_OFF", 42, Bytes, Any, "where recv with MSG_PEEK looks; -1: at the front")
        {
            Minimum = -1,
        },
        new("SO_NOFCS", 43, Flag, None, "leaves the frame's checksum to the program; packet sockets alone") { Reference = Header },
        new("SO_LOCK_FILTER", 44, Flag, Any, "forbids any change of the socket's packet filter; can't be turned off"),
        new("SO_SELECT_ERR_QUEUE", 45, Flag, IP, "reports what waits in the error queue as urgent to select and poll"),
        new("SO_BUSY_POLL", 46, Number, IP, "how long a receive asks the network card itself before it waits")
        {
            Unit = "microseconds", Privilege = "to raise it takes root or CAP_NET_ADMIN",
        },
        new("SO_MAX_PACING_RATE", 47, Number, IP, "the fastest that the socket sends; -1: no limit")
        {
            Minimum = -1, Maximum = long.MaxValue, Size = sizeof(long), Unit = "bytes a second", Reference = Header,
        },
        new("SO_BPF_EXTENSIONS", 48, Number, Any, "how many extensions packet filters have here") { IsReadOnly = true, Reference = Header },
        new("SO_INCOMING_CPU", 49, Number, IP, "the processor that handled the last packet; set: whose packets to prefer (SO_REUSEPORT)")
        {
            Minimum = -1, When = BeforeBind, Inherited = None,
        },
        new("SO_INCOMING_NAPI_ID", 56, Number, IP, "the card's queue that the last packet came by")
        {
            Maximum = uint.MaxValue, IsReadOnly = true, JavaName = "ExtendedSocketOptions.SO_INCOMING_NAPI_ID",
        },
        new("SO_COOKIE", 57, Number, Any, "a number that no other socket of this machine has had")
        {
            IsReadOnly = true, Maximum = long.MaxValue, Size = sizeof(long), Reference = Header,
        },
        new("SO_ZEROCOPY", 60, Flag, IP, "allows MSG_ZEROCOPY, which sends from the program's own memory")
        {
            Reference = "kernel: networking/msg_zerocopy",
        },
        new("SO_BINDTOIFINDEX", 62, Number, IP, "as SO_BINDTODEVICE, by the interface's index; 0 for any")
        {
            When = BeforeBind, Unit = "interface", Reference = Header, Privilege = "to change it takes root or CAP_NET_RAW",
        },
        new("SO_PREFER_BUSY_POLL", 69, Flag, IP, "prefers busy polling to the card's interrupts") { Reference = Header, Privilege = Admin },
        new("SO_BUSY_POLL_BUDGET", 70, Number, IP, "how many packets one busy poll takes")
        {
            Maximum = ushort.MaxValue, Unit = "packets", Reference = Header, Privilege = Admin,
        },
        new("SO_NETNS_COOKIE", 71, Number, Any, "a number of the socket's network namespace")
        {
            IsReadOnly = true, Maximum = long.MaxValue, Size = sizeof(long), Reference = Header,
        },
        new("SO_BUF_LOCK", 72, Number, Any, "keeps the kernel from resizing: 1 the send buffer, 2 the receive buffer, 3 both")
        {
            Maximum = 3, Reference = Header,
        },
        new("SO_RESERVE_MEM", 73, Bytes, IP, "memory that the socket has for itself; needs memory control groups") { Reference = Header },
        new("SO_TXREHASH", 74, Number, Tcp, "tries another path after a time-out: 0 no, 1 yes, -1 as net.core.txrehash says")
        {
            Minimum = -1, Maximum = 1, Reference = Header, Change = "-1 stands for net.core.txrehash",
        },
        new("SO_RCVMARK", 75, Flag, IP, "tells with each recvmsg the packet's mark") { Reference = Header, Privilege = Admin },
        new("SO_PASSPIDFD", 76, Flag, Unix, "tells with each recvmsg a descriptor of the sender's process")
        {
            Inherited = UnixStream, Reference = Header,
        },
        new("SO_RCVPRIORITY", 82, Flag, IP, "tells with each recvmsg the packet's priority") { Reference = Header },
        new("SO_PASSRIGHTS", 83, Flag, Unix, "whether peers may pass descriptors") { Inherited = UnixStream, Reference = Header },
        new("SO_INQ", 84, Flag, Unix, "tells with each recvmsg how many bytes are left to read") { Reference = Header },
    ];
}
