/* Prints what getsockopt(2) says of a socket that was inherited: NAME VALUE, a line for each option this kernel lets be read.
 * Usage: getsockopt DESCRIPTOR. The numbers are the system's headers' own; what they lack is left out. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

static void print(int socket, const char *name, int level, int number, char kind)
{
    union { int n; unsigned u; long l; unsigned char b[256]; struct linger linger; struct timeval time; } value = { .b = { 0 } };
    socklen_t size = kind == 's' ? 256 : kind == 'l' ? sizeof value.linger : kind == 't' ? sizeof value.time : kind == 'L' ? 8 : 4;
    if (getsockopt(socket, level, number, &value, &size) != 0)
        return;
    switch (kind) {
    case 'n': printf("%s %d\n", name, value.n); break;
    case 'u': printf("%s %u\n", name, value.u); break;
    case 'L': printf("%s %ld\n", name, value.l); break;
    case 's': printf("%s %s\n", name, (char *)value.b); break;
    case 'l': printf(value.linger.l_onoff ? "%s on,%d\n" : "%s off\n", name, value.linger.l_linger); break;
    case 't': printf("%s %ld.%06ld\n", name, (long)value.time.tv_sec, (long)value.time.tv_usec); break;
    case 'a': printf("%s %d.%d.%d.%d\n", name, value.b[0], value.b[1], value.b[2], value.b[3]); break;
    case 'b': printf("%s %d\n", name, value.b[0] << 24 | value.b[1] << 16 | value.b[2] << 8 | value.b[3]); break;
    }
}

int main(int count, char **arguments)
{
    int socket = count == 2 ? atoi(arguments[1]) : -1;
#ifdef SO_DEBUG
    print(socket, "SO_DEBUG", SOL_SOCKET, SO_DEBUG, 'n');
#endif
#ifdef SO_REUSEADDR
    print(socket, "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 'n');
#endif
#ifdef SO_TYPE
    print(socket, "SO_TYPE", SOL_SOCKET, SO_TYPE, 'n');
#endif
#ifdef SO_ERROR
    print(socket, "SO_ERROR", SOL_SOCKET, SO_ERROR, 'n');
#endif
#ifdef SO_DONTROUTE
    print(socket, "SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, 'n');
#endif
#ifdef SO_BROADCAST
    print(socket, "SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, 'n');
#endif
#ifdef SO_SNDBUF
    print(socket, "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 'n');
#endif
#ifdef SO_RCVBUF
    print(socket, "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 'n');
#endif
#ifdef SO_KEEPALIVE
    print(socket, "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 'n');
#endif
#ifdef SO_OOBINLINE
    print(socket, "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 'n');
#endif
#ifdef SO_LINGER
    print(socket, "SO_LINGER", SOL_SOCKET, SO_LINGER, 'l');
#endif
#ifdef SO_REUSEPORT
    print(socket, "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 'n');
#endif
#ifdef SO_RCVLOWAT
    print(socket, "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 'n');
#endif
#ifdef SO_SNDLOWAT
    print(socket, "SO_SNDLOWAT", SOL_SOCKET, SO_SNDLOWAT, 'n');
#endif
#ifdef SO_RCVTIMEO
    print(socket, "SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, 't');
#endif
#ifdef SO_SNDTIMEO
    print(socket, "SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, 't');
#endif
#ifdef SO_ACCEPTCONN
    print(socket, "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, 'n');
#endif
#ifdef SO_PROTOCOL
    print(socket, "SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL, 'n');
#endif
#ifdef SO_DOMAIN
    print(socket, "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN, 'n');
#endif
#ifdef SO_NO_CHECK
    print(socket, "SO_NO_CHECK", SOL_SOCKET, SO_NO_CHECK, 'n');
#endif
#ifdef SO_PRIORITY
    print(socket, "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 'u');
#endif
#ifdef SO_BSDCOMPAT
    print(socket, "SO_BSDCOMPAT", SOL_SOCKET, SO_BSDCOMPAT, 'n');
#endif
#ifdef SO_PASSCRED
    print(socket, "SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, 'n');
#endif
#ifdef SO_BINDTODEVICE
    print(socket, "SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, 's');
#endif
#ifdef SO_TIMESTAMP
    print(socket, "SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, 'n');
#endif
#ifdef SO_PEERSEC
    print(socket, "SO_PEERSEC", SOL_SOCKET, SO_PEERSEC, 's');
#endif
#ifdef SO_PASSSEC
    print(socket, "SO_PASSSEC", SOL_SOCKET, SO_PASSSEC, 'n');
#endif
#ifdef SO_TIMESTAMPNS
    print(socket, "SO_TIMESTAMPNS", SOL_SOCKET, SO_TIMESTAMPNS, 'n');
#endif
#ifdef SO_MARK
    print(socket, "SO_MARK", SOL_SOCKET, SO_MARK, 'u');
#endif
#ifdef SO_TIMESTAMPING
    print(socket, "SO_TIMESTAMPING", SOL_SOCKET, SO_TIMESTAMPING, 'n');
#endif
#ifdef SO_RXQ_OVFL
    print(socket, "SO_RXQ_OVFL", SOL_SOCKET, SO_RXQ_OVFL, 'n');
#endif
#ifdef SO_WIFI_STATUS
    print(socket, "SO_WIFI_STATUS", SOL_SOCKET, SO_WIFI_STATUS, 'n');
#endif
#ifdef SO_PEEK_OFF
    print(socket, "SO_PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF, 'n');
#endif
#ifdef SO_NOFCS
    print(socket, "SO_NOFCS", SOL_SOCKET, SO_NOFCS, 'n');
#endif
#ifdef SO_LOCK_FILTER
    print(socket, "SO_LOCK_FILTER", SOL_SOCKET, SO_LOCK_FILTER, 'n');
#endif
#ifdef SO_SELECT_ERR_QUEUE
    print(socket, "SO_SELECT_ERR_QUEUE", SOL_SOCKET, SO_SELECT_ERR_QUEUE, 'n');
#endif
#ifdef SO_BUSY_POLL
    print(socket, "SO_BUSY_POLL", SOL_SOCKET, SO_BUSY_POLL, 'n');
#endif
#ifdef SO_MAX_PACING_RATE
    print(socket, "SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, 'L');
#endif
#ifdef SO_BPF_EXTENSIONS
    print(socket, "SO_BPF_EXTENSIONS", SOL_SOCKET, SO_BPF_EXTENSIONS, 'n');
#endif
#ifdef SO_INCOMING_CPU
    print(socket, "SO_INCOMING_CPU", SOL_SOCKET, SO_INCOMING_CPU, 'n');
#endif
#ifdef SO_INCOMING_NAPI_ID
    print(socket, "SO_INCOMING_NAPI_ID", SOL_SOCKET, SO_INCOMING_NAPI_ID, 'u');
#endif
#ifdef SO_COOKIE
    print(socket, "SO_COOKIE", SOL_SOCKET, SO_COOKIE, 'L');
#endif
#ifdef SO_ZEROCOPY
    print(socket, "SO_ZEROCOPY", SOL_SOCKET, SO_ZEROCOPY, 'n');
#endif
#ifdef SO_BINDTOIFINDEX
    print(socket, "SO_BINDTOIFINDEX", SOL_SOCKET, SO_BINDTOIFINDEX, 'n');
#endif
#ifdef SO_PREFER_BUSY_POLL
    print(socket, "SO_PREFER_BUSY_POLL", SOL_SOCKET, SO_PREFER_BUSY_POLL, 'n');
#endif
#ifdef SO_BUSY_POLL_BUDGET
    print(socket, "SO_BUSY_POLL_BUDGET", SOL_SOCKET, SO_BUSY_POLL_BUDGET, 'n');
#endif
#ifdef SO_NETNS_COOKIE
    print(socket, "SO_NETNS_COOKIE", SOL_SOCKET, SO_NETNS_COOKIE, 'L');
#endif
#ifdef SO_BUF_LOCK
    print(socket, "SO_BUF_LOCK", SOL_SOCKET, SO_BUF_LOCK, 'n');
#endif
#ifdef SO_RESERVE_MEM
    print(socket, "SO_RESERVE_MEM", SOL_SOCKET, SO_RESERVE_MEM, 'n');
#endif
#ifdef SO_TXREHASH
    print(socket, "SO_TXREHASH", SOL_SOCKET, SO_TXREHASH, 'n');
#endif
#ifdef SO_RCVMARK
    print(socket, "SO_RCVMARK", SOL_SOCKET, SO_RCVMARK, 'n');
#endif
#ifdef SO_PASSPIDFD
    print(socket, "SO_PASSPIDFD", SOL_SOCKET, SO_PASSPIDFD, 'n');
#endif
#ifdef SO_RCVPRIORITY
    print(socket, "SO_RCVPRIORITY", SOL_SOCKET, SO_RCVPRIORITY, 'n');
#endif
#ifdef SO_PASSRIGHTS
    print(socket, "SO_PASSRIGHTS", SOL_SOCKET, SO_PASSRIGHTS, 'n');
#endif
#ifdef SO_INQ
    print(socket, "SO_INQ", SOL_SOCKET, SO_INQ, 'n');
#endif
#ifdef IP_TOS
    print(socket, "IP_TOS", IPPROTO_IP, IP_TOS, 'n');
#endif
#ifdef IP_TTL
    print(socket, "IP_TTL", IPPROTO_IP, IP_TTL, 'n');
#endif
#ifdef IP_RECVOPTS
    print(socket, "IP_RECVOPTS", IPPROTO_IP, IP_RECVOPTS, 'n');
#endif
#ifdef IP_RETOPTS
    print(socket, "IP_RETOPTS", IPPROTO_IP, IP_RETOPTS, 'n');
#endif
#ifdef IP_PKTINFO
    print(socket, "IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, 'n');
#endif
#ifdef IP_MTU_DISCOVER
    print(socket, "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, 'n');
#endif
#ifdef IP_RECVERR
    print(socket, "IP_RECVERR", IPPROTO_IP, IP_RECVERR, 'n');
#endif
#ifdef IP_RECVTTL
    print(socket, "IP_RECVTTL", IPPROTO_IP, IP_RECVTTL, 'n');
#endif
#ifdef IP_RECVTOS
    print(socket, "IP_RECVTOS", IPPROTO_IP, IP_RECVTOS, 'n');
#endif
#ifdef IP_MTU
    print(socket, "IP_MTU", IPPROTO_IP, IP_MTU, 'n');
#endif
#ifdef IP_FREEBIND
    print(socket, "IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, 'n');
#endif
#ifdef IP_PASSSEC
    print(socket, "IP_PASSSEC", IPPROTO_IP, IP_PASSSEC, 'n');
#endif
#ifdef IP_TRANSPARENT
    print(socket, "IP_TRANSPARENT", IPPROTO_IP, IP_TRANSPARENT, 'n');
#endif
#ifdef IP_RECVORIGDSTADDR
    print(socket, "IP_RECVORIGDSTADDR", IPPROTO_IP, IP_RECVORIGDSTADDR, 'n');
#endif
#ifdef IP_MINTTL
    print(socket, "IP_MINTTL", IPPROTO_IP, IP_MINTTL, 'n');
#endif
#ifdef IP_CHECKSUM
    print(socket, "IP_CHECKSUM", IPPROTO_IP, IP_CHECKSUM, 'n');
#endif
#ifdef IP_BIND_ADDRESS_NO_PORT
    print(socket, "IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 'n');
#endif
#ifdef IP_RECVFRAGSIZE
    print(socket, "IP_RECVFRAGSIZE", IPPROTO_IP, IP_RECVFRAGSIZE, 'n');
#endif
#ifdef IP_RECVERR_RFC4884
    print(socket, "IP_RECVERR_RFC4884", IPPROTO_IP, IP_RECVERR_RFC4884, 'n');
#endif
#ifdef IP_MULTICAST_IF
    print(socket, "IP_MULTICAST_IF", IPPROTO_IP, IP_MULTICAST_IF, 'a');
#endif
#ifdef IP_MULTICAST_TTL
    print(socket, "IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL, 'n');
#endif
#ifdef IP_MULTICAST_LOOP
    print(socket, "IP_MULTICAST_LOOP", IPPROTO_IP, IP_MULTICAST_LOOP, 'n');
#endif
#ifdef IP_MULTICAST_ALL
    print(socket, "IP_MULTICAST_ALL", IPPROTO_IP, IP_MULTICAST_ALL, 'n');
#endif
#ifdef IP_UNICAST_IF
    print(socket, "IP_UNICAST_IF", IPPROTO_IP, IP_UNICAST_IF, 'b');
#endif
#ifdef IP_LOCAL_PORT_RANGE
    print(socket, "IP_LOCAL_PORT_RANGE", IPPROTO_IP, IP_LOCAL_PORT_RANGE, 'u');
#endif
#ifdef IP_PROTOCOL
    print(socket, "IP_PROTOCOL", IPPROTO_IP, IP_PROTOCOL, 'n');
#endif
#ifdef IPV6_FLOWINFO
    print(socket, "IPV6_FLOWINFO", IPPROTO_IPV6, IPV6_FLOWINFO, 'n');
#endif
#ifdef IPV6_UNICAST_HOPS
    print(socket, "IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, 'n');
#endif
#ifdef IPV6_MULTICAST_IF
    print(socket, "IPV6_MULTICAST_IF", IPPROTO_IPV6, IPV6_MULTICAST_IF, 'n');
#endif
#ifdef IPV6_MULTICAST_HOPS
    print(socket, "IPV6_MULTICAST_HOPS", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 'n');
#endif
#ifdef IPV6_MULTICAST_LOOP
    print(socket, "IPV6_MULTICAST_LOOP", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 'n');
#endif
#ifdef IPV6_MTU_DISCOVER
    print(socket, "IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER, 'n');
#endif
#ifdef IPV6_MTU
    print(socket, "IPV6_MTU", IPPROTO_IPV6, IPV6_MTU, 'n');
#endif
#ifdef IPV6_RECVERR
    print(socket, "IPV6_RECVERR", IPPROTO_IPV6, IPV6_RECVERR, 'n');
#endif
#ifdef IPV6_V6ONLY
    print(socket, "IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 'n');
#endif
#ifdef IPV6_MULTICAST_ALL
    print(socket, "IPV6_MULTICAST_ALL", IPPROTO_IPV6, IPV6_MULTICAST_ALL, 'n');
#endif
#ifdef IPV6_RECVERR_RFC4884
    print(socket, "IPV6_RECVERR_RFC4884", IPPROTO_IPV6, IPV6_RECVERR_RFC4884, 'n');
#endif
#ifdef IPV6_FLOWINFO_SEND
    print(socket, "IPV6_FLOWINFO_SEND", IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 'n');
#endif
#ifdef IPV6_RECVPKTINFO
    print(socket, "IPV6_RECVPKTINFO", IPPROTO_IPV6, IPV6_RECVPKTINFO, 'n');
#endif
#ifdef IPV6_RECVHOPLIMIT
    print(socket, "IPV6_RECVHOPLIMIT", IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 'n');
#endif
#ifdef IPV6_RECVHOPOPTS
    print(socket, "IPV6_RECVHOPOPTS", IPPROTO_IPV6, IPV6_RECVHOPOPTS, 'n');
#endif
#ifdef IPV6_RECVRTHDR
    print(socket, "IPV6_RECVRTHDR", IPPROTO_IPV6, IPV6_RECVRTHDR, 'n');
#endif
#ifdef IPV6_RECVDSTOPTS
    print(socket, "IPV6_RECVDSTOPTS", IPPROTO_IPV6, IPV6_RECVDSTOPTS, 'n');
#endif
#ifdef IPV6_RECVPATHMTU
    print(socket, "IPV6_RECVPATHMTU", IPPROTO_IPV6, IPV6_RECVPATHMTU, 'n');
#endif
#ifdef IPV6_DONTFRAG
    print(socket, "IPV6_DONTFRAG", IPPROTO_IPV6, IPV6_DONTFRAG, 'n');
#endif
#ifdef IPV6_RECVTCLASS
    print(socket, "IPV6_RECVTCLASS", IPPROTO_IPV6, IPV6_RECVTCLASS, 'n');
#endif
#ifdef IPV6_TCLASS
    print(socket, "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 'n');
#endif
#ifdef IPV6_AUTOFLOWLABEL
    print(socket, "IPV6_AUTOFLOWLABEL", IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 'n');
#endif
#ifdef IPV6_ADDR_PREFERENCES
    print(socket, "IPV6_ADDR_PREFERENCES", IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, 'n');
#endif
#ifdef IPV6_MINHOPCOUNT
    print(socket, "IPV6_MINHOPCOUNT", IPPROTO_IPV6, IPV6_MINHOPCOUNT, 'n');
#endif
#ifdef IPV6_RECVORIGDSTADDR
    print(socket, "IPV6_RECVORIGDSTADDR", IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 'n');
#endif
#ifdef IPV6_TRANSPARENT
    print(socket, "IPV6_TRANSPARENT", IPPROTO_IPV6, IPV6_TRANSPARENT, 'n');
#endif
#ifdef IPV6_UNICAST_IF
    print(socket, "IPV6_UNICAST_IF", IPPROTO_IPV6, IPV6_UNICAST_IF, 'b');
#endif
#ifdef IPV6_RECVFRAGSIZE
    print(socket, "IPV6_RECVFRAGSIZE", IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 'n');
#endif
#ifdef IPV6_FREEBIND
    print(socket, "IPV6_FREEBIND", IPPROTO_IPV6, IPV6_FREEBIND, 'n');
#endif
#ifdef TCP_NODELAY
    print(socket, "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 'n');
#endif
#ifdef TCP_MAXSEG
    print(socket, "TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, 'n');
#endif
#ifdef TCP_CORK
    print(socket, "TCP_CORK", IPPROTO_TCP, TCP_CORK, 'n');
#endif
#ifdef TCP_KEEPIDLE
    print(socket, "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 'n');
#endif
#ifdef TCP_KEEPINTVL
    print(socket, "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 'n');
#endif
#ifdef TCP_KEEPCNT
    print(socket, "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 'n');
#endif
#ifdef TCP_SYNCNT
    print(socket, "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 'n');
#endif
#ifdef TCP_LINGER2
    print(socket, "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 'n');
#endif
#ifdef TCP_DEFER_ACCEPT
    print(socket, "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 'n');
#endif
#ifdef TCP_WINDOW_CLAMP
    print(socket, "TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP, 'n');
#endif
#ifdef TCP_QUICKACK
    print(socket, "TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, 'n');
#endif
#ifdef TCP_CONGESTION
    print(socket, "TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, 's');
#endif
#ifdef TCP_THIN_LINEAR_TIMEOUTS
    print(socket, "TCP_THIN_LINEAR_TIMEOUTS", IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 'n');
#endif
#ifdef TCP_THIN_DUPACK
    print(socket, "TCP_THIN_DUPACK", IPPROTO_TCP, TCP_THIN_DUPACK, 'n');
#endif
#ifdef TCP_USER_TIMEOUT
    print(socket, "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 'n');
#endif
#ifdef TCP_REPAIR
    print(socket, "TCP_REPAIR", IPPROTO_TCP, TCP_REPAIR, 'n');
#endif
#ifdef TCP_FASTOPEN
    print(socket, "TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN, 'n');
#endif
#ifdef TCP_TIMESTAMP
    print(socket, "TCP_TIMESTAMP", IPPROTO_TCP, TCP_TIMESTAMP, 'u');
#endif
#ifdef TCP_NOTSENT_LOWAT
    print(socket, "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 'u');
#endif
#ifdef TCP_SAVE_SYN
    print(socket, "TCP_SAVE_SYN", IPPROTO_TCP, TCP_SAVE_SYN, 'n');
#endif
#ifdef TCP_FASTOPEN_CONNECT
    print(socket, "TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 'n');
#endif
#ifdef TCP_ULP
    print(socket, "TCP_ULP", IPPROTO_TCP, TCP_ULP, 's');
#endif
#ifdef TCP_FASTOPEN_NO_COOKIE
    print(socket, "TCP_FASTOPEN_NO_COOKIE", IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 'n');
#endif
#ifdef TCP_INQ
    print(socket, "TCP_INQ", IPPROTO_TCP, TCP_INQ, 'n');
#endif
#ifdef TCP_TX_DELAY
    print(socket, "TCP_TX_DELAY", IPPROTO_TCP, TCP_TX_DELAY, 'n');
#endif
#ifdef TCP_IS_MPTCP
    print(socket, "TCP_IS_MPTCP", IPPROTO_TCP, TCP_IS_MPTCP, 'n');
#endif
#ifdef TCP_RTO_MAX_MS
    print(socket, "TCP_RTO_MAX_MS", IPPROTO_TCP, TCP_RTO_MAX_MS, 'n');
#endif
#ifdef TCP_RTO_MIN_US
    print(socket, "TCP_RTO_MIN_US", IPPROTO_TCP, TCP_RTO_MIN_US, 'n');
#endif
#ifdef TCP_DELACK_MAX_US
    print(socket, "TCP_DELACK_MAX_US", IPPROTO_TCP, TCP_DELACK_MAX_US, 'n');
#endif
#ifdef UDP_CORK
    print(socket, "UDP_CORK", IPPROTO_UDP, UDP_CORK, 'n');
#endif
#ifdef UDP_ENCAP
    print(socket, "UDP_ENCAP", IPPROTO_UDP, UDP_ENCAP, 'n');
#endif
#ifdef UDP_NO_CHECK6_TX
    print(socket, "UDP_NO_CHECK6_TX", IPPROTO_UDP, UDP_NO_CHECK6_TX, 'n');
#endif
#ifdef UDP_NO_CHECK6_RX
    print(socket, "UDP_NO_CHECK6_RX", IPPROTO_UDP, UDP_NO_CHECK6_RX, 'n');
#endif
#ifdef UDP_SEGMENT
    print(socket, "UDP_SEGMENT", IPPROTO_UDP, UDP_SEGMENT, 'n');
#endif
#ifdef UDP_GRO
    print(socket, "UDP_GRO", IPPROTO_UDP, UDP_GRO, 'n');
#endif
    return 0;
}
