using System.Net.Sockets;
using static Doorbell.SocketOptions.SocketKinds;
using static Doorbell.SocketOptions.SocketOptionKind;
using static Doorbell.SocketOptions.SocketOptionTime;

namespace Doorbell.SocketOptions;

/// <summary>IPPROTO_TCP: tcp(7) and linux/tcp.h.</summary>
internal static class TcpOptions
{
    private const string Header = "linux/tcp.h";
    private const string Ticks = "the kernel rounds it up to the ticks of its clock";

    /// <summary>More than one tick of the fastest clock that a kernel may have, of 1,000 Hz.</summary>
    private const int TwoTicks = 1_001;
    private const string FromTwoTicks = "1001 to 200000, from 4001 where the kernel's clock has 250 Hz";

    public static readonly SocketOption[] All =
    [
        new("TCP_NODELAY", 1, Flag, Tcp, "sends small segments at once: turns Nagle's algorithm off (RFC 896)")
        {
            DotNetName = "Socket.NoDelay", JavaName = "StandardSocketOptions.TCP_NODELAY", Reference = "tcp(7)",
            Portable = SocketOptionName.NoDelay,
        },
        new("TCP_MAXSEG", 2, Bytes, Tcp, "the largest segment to send and to announce; before the connection is made")
        {
            Minimum = 88, Maximum = 32_767, Reference = "tcp(7)",
            Change = "until there is a connection the kernel shows 536 unless it was set; a connection's timestamps take 12 bytes of it",
        },
        new("TCP_CORK", 3, Flag, Tcp, "sends full segments alone until it is turned off, or for 200 ms") { Reference = "tcp(7)" },
        new("TCP_KEEPIDLE", 4, Seconds, Tcp, "how long a connection is idle before SO_KEEPALIVE's first probe")
        {
            Minimum = 1, Maximum = 32_767, DotNetName = "SocketOptionName.TcpKeepAliveTime",
            JavaName = "ExtendedSocketOptions.TCP_KEEPIDLE", Reference = "tcp(7)", Portable = SocketOptionName.TcpKeepAliveTime,
        },
        new("TCP_KEEPINTVL", 5, Seconds, Tcp, "how long from probe to probe")
        {
            Minimum = 1, Maximum = 32_767, DotNetName = "SocketOptionName.TcpKeepAliveInterval",
            JavaName = "ExtendedSocketOptions.TCP_KEEPINTERVAL", Reference = "tcp(7)", Portable = SocketOptionName.TcpKeepAliveInterval,
        },
        new("TCP_KEEPCNT", 6, Number, Tcp, "how many probes go unanswered before the connection is given up")
        {
            Minimum = 1, Maximum = 127, Unit = "probes", DotNetName = "SocketOptionName.TcpKeepAliveRetryCount",
            JavaName = "ExtendedSocketOptions.TCP_KEEPCOUNT", Reference = "tcp(7)", Portable = SocketOptionName.TcpKeepAliveRetryCount,
        },
        new("TCP_SYNCNT", 7, Number, Tcp, "how often connect sends SYN again before it gives up")
        {
            Minimum = 1, Maximum = 127, Unit = "times", When = BeforeConnect, Reference = "tcp(7)",
        },
        new("TCP_LINGER2", 8, Seconds, Tcp, "how long a closed connection waits in FIN_WAIT2 for the peer's end; -1 for not at all")
        {
            Minimum = -1, Reference = "tcp(7)",
            Change = "0 stands for net.ipv4.tcp_fin_timeout, and 120 s is the most",
        },
        new("TCP_DEFER_ACCEPT", 9, Seconds, Tcp, "wakes the server only when a client has sent something, or after this long")
        {
            When = Listening, Reference = "tcp(7)",
            Change = "the kernel counts it in repeats of SYN+ACK, which come after 1, 3, 7, 15 s and so on",
        },
        new("TCP_WINDOW_CLAMP", 10, Bytes, Tcp, "bounds the window announced")
        {
            Reference = "tcp(7)", Change = "it is at least half of the least SO_RCVBUF",
        },
        new("TCP_QUICKACK", 12, Flag, Tcp, "acknowledges at once; the kernel turns it on and off by itself as the connection goes on")
        {
            When = Connected, JavaName = "ExtendedSocketOptions.TCP_QUICKACK", Reference = "tcp(7)", Inherited = None,
            Change = "it is no lasting setting: the kernel goes in and out of this mode by itself",
        },
        new("TCP_CONGESTION", 13, Text, Tcp, "the congestion control algorithm")
        {
            Range = "one of net.ipv4.tcp_available_congestion_control", Reference = "tcp(7)",
            Privilege = "algorithms that net.ipv4.tcp_allowed_congestion_control lacks take root or CAP_NET_ADMIN",
        },
        new("TCP_THIN_LINEAR_TIMEOUTS", 16, Flag, Tcp, "keeps the time-out of thin streams from doubling") { Reference = Header },
        new("TCP_THIN_DUPACK", 17, Flag, Tcp, "obsolete: the kernel takes it and does nothing")
        {
            Reference = Header, Change = "since Linux 4.11 the kernel takes it and does nothing",
        },
        new("TCP_USER_TIMEOUT", 18, Number, Tcp, "how long data may go unacknowledged before the connection is given up; 0: the default")
        {
            Unit = "milliseconds", Reference = "tcp(7), RFC 5482",
        },
        new("TCP_REPAIR", 19, Flag, Tcp, "puts a socket under repair, to move its connection to another process or machine")
        {
            Reference = Header, Privilege = "it takes root or CAP_NET_ADMIN",
        },
        new("TCP_FASTOPEN", 23, Number, Tcp, "takes data in SYN (RFC 7413): how many such connections may wait")
        {
            Unit = "connections", When = Listening, Inherited = None, DotNetName = "SocketOptionName.FastOpen",
            Reference = "tcp(7), RFC 7413", Change = "net.core.somaxconn is the most",
        },
        new("TCP_TIMESTAMP", 24, Number, Tcp, "the timestamp's clock, for connections under repair")
        {
            Maximum = uint.MaxValue, IsReadOnly = true, Reference = Header,
        },
        new("TCP_NOTSENT_LOWAT", 25, Bytes, Tcp, "reports writable only while less than this is unsent; 0: net.ipv4's default")
        {
            Maximum = uint.MaxValue, Reference = "ip-sysctl (tcp_notsent_lowat)",
        },
        new("TCP_SAVE_SYN", 27, Number, Tcp, "keeps the SYN's headers for TCP_SAVED_SYN; 2 with the link layer's")
        {
            Maximum = 2, When = Listening, Reference = Header,
        },
        new("TCP_FASTOPEN_CONNECT", 30, Flag, Tcp, "lets connect return at once and puts the first data in SYN (RFC 7413)")
        {
            When = BeforeConnect, Reference = "tcp(7)",
        },
        new("TCP_ULP", 31, Text, Tcp, "a protocol in the kernel above TCP, as in tls")
        {
            When = Connected, Inherited = None, Range = "one of net.ipv4.tcp_available_ulp", Reference = "kernel: networking/tls",
        },
        new("TCP_FASTOPEN_NO_COOKIE", 34, Flag, Tcp, "takes and sends data in SYN without a cookie (RFC 7413)") { Reference = Header },
        new("TCP_INQ", 36, Flag, Tcp, "tells with each recvmsg how many bytes are left to read; for programs that read control data")
        {
            Reference = Header,
        },
        new("TCP_TX_DELAY", 37, Number, Tcp, "delays all that is sent, for tests")
        {
            Unit = "microseconds", Maximum = (1 << 28) - 1, Reference = Header,
        },
        new("TCP_IS_MPTCP", 43, Flag, Tcp, "whether the connection is Multipath TCP (RFC 8684)")
        {
            IsReadOnly = true, Reference = Header,
        },
        new("TCP_RTO_MAX_MS", 44, Number, Tcp, "the longest time to wait before sending again")
        {
            Unit = "milliseconds", Minimum = 1_000, Maximum = 120_000, Reference = Header, Change = Ticks,
        },
        new("TCP_RTO_MIN_US", 45, Number, Tcp, "the shortest time to wait before sending again")
        {
            Unit = "microseconds", Minimum = TwoTicks, Maximum = 200_000, Range = FromTwoTicks, Reference = Header, Change = Ticks,
        },
        new("TCP_DELACK_MAX_US", 46, Number, Tcp, "the longest time to delay an acknowledgement")
        {
            Unit = "microseconds", Minimum = TwoTicks, Maximum = 200_000, Range = FromTwoTicks, Reference = Header, Change = Ticks,
        },
    ];
}
