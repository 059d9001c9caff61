using System.Net.Sockets;

namespace Doorbell;

/// <summary>What to do about a failed call.</summary>
internal static class Advice
{
    public static string ForMissingPath(string operation) => operation == "bind"
        ? "the path's folder is not there: make it, or choose another path"
        : "no server has made this socket: start the server, or look at the path";

    public static string? For(string operation, SocketError error) => (operation, error) switch
    {
        ("bind" or "listen", SocketError.AddressAlreadyInUse) =>
            "another program has this address: stop it (ss -lntup names it) or choose another; port 0 means any",
        ("bind", SocketError.AccessDenied) =>
            "a port below 1024 takes root, CAP_NET_BIND_SERVICE or a lower net.ipv4.ip_unprivileged_port_start; "
                + "a path takes a writable folder",
        ("bind", SocketError.AddressNotAvailable) =>
            "no interface of this machine has this address: give one that `ip address` shows, localhost, or *",
        ("resolve", SocketError.HostNotFound or SocketError.NoData) => "look at the name's spelling, or give an IP address",
        ("resolve", SocketError.TryAgain) => "the name server does not answer: try again later, or give an IP address",
        ("connect", SocketError.ConnectionRefused) => "nothing listens there: start the server, or look at the host and port",
        ("connect", SocketError.TimedOut) =>
            "no answer: look whether the host is up and no firewall drops the packets, or allow more with --timeout",
        ("connect", SocketError.AccessDenied) =>
            "the socket's file does not let you write to it, or a firewall refuses: look at its permissions",
        ("connect", SocketError.ProtocolType) =>
            "the socket there is of the other kind: try unix:// for streams, unix+dgram:// for datagrams",
        ("send" or "receive", SocketError.ConnectionRefused) =>
            "nothing listens on that port (ICMP port unreachable): start the server, or look at the host and port",
        ("send" or "receive", SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted) =>
            "the peer ended the connection without taking everything: look at its log",
        ("receive", SocketError.TimedOut) => "allow more time with --timeout, or look whether the server is busy",
        ("send", SocketError.MessageSize) => "a datagram carries at most 65,507 bytes: send less, or use tcp",
        (_, SocketError.HostUnreachable or SocketError.NetworkUnreachable) => "there is no route to it: look at `ip route` and the address",
        (_, SocketError.TooManyOpenSockets) => "out of file descriptors: raise `ulimit -n`, or serve fewer connections at once",
        (_, SocketError.NoBufferSpaceAvailable) => "the system is short of memory for sockets: try again, or raise net.core's limits",
        (_, SocketError.AddressFamilyNotSupported) => "this system lacks that address family: use the other, as in 127.0.0.1 for ::1",
        _ => null,
    };
}
