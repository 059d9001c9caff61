using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>What to do about a failed call.</summary>
internal static class Advice
{
    public static string ForMissingPath(string operation) => operation == "bind"
        ? "the path's folder is not there: make it, or choose another path"
        : "no server has made this socket: start the server, or look at the path";

    /// <summary>Null where there is none to give.</summary>
    /// <param name="operation">The call that failed.</param>
    /// <param name="error">How.</param>
    /// <param name="target">The endpoint: a path has other remedies than a port.</param>
    /// <param name="tools">The system's; null for those of this one.</param>
    public static string? For(string operation, SocketError error, string target, SystemTools? tools = null)
    {
        tools ??= SystemTools.Here;
        bool isUnix = target.StartsWith("unix", StringComparison.Ordinal);
        string? special = isUnix
            ? ForAbstractName(operation, error, target) ?? ForUnix(operation, error, tools)
            : ForIP(operation, error, target, tools);
        return special ?? ForAny(operation, error, tools);
    }

    /// <summary>Of a name that is no path (unix(7)): it has no file.</summary>
    private static string? ForAbstractName(string operation, SocketError error, string target) =>
        !target.StartsWith("unix:@", StringComparison.Ordinal) && !target.StartsWith("unix+dgram:@", StringComparison.Ordinal) ? null
        : (operation, error) switch
        {
            ("bind" or "listen", SocketError.AddressAlreadyInUse) => "another program has this abstract name: stop it, or choose another",
            ("connect" or "send", SocketError.ConnectionRefused) =>
                "no program listens at this abstract name: start the server, or look at the name's spelling",
            _ => null,
        };

    private static string? ForUnix(string operation, SocketError error, SystemTools tools) => (operation, error) switch
    {
        ("bind" or "listen", SocketError.AddressAlreadyInUse) =>
            $"another program has this address, or a file is in its place: {tools.PathHolder}, remove the file, or choose another path",
        ("bind", SocketError.AccessDenied) => "the path's folder does not let you write to it: look at its permissions",
        ("connect" or "send", SocketError.AccessDenied) => "the socket's file does not let you write to it: look at its permissions",
        ("connect" or "send", SocketError.ConnectionRefused) =>
            "no server listens on this path (it ended and left its socket, or this is another kind of file): start the server",
        ("connect", SocketError.ProtocolType) =>
            "the socket there is of the other kind: try unix:// for streams, unix+dgram:// for datagrams",
        (_, SocketError.AddressFamilyNotSupported or SocketError.SocketNotSupported or SocketError.ProtocolNotSupported) =>
            tools.WithoutUnixSockets,
        ("connect", SocketError.WouldBlock) => "the server's backlog is full: try again later",
        ("send", SocketError.MessageSize) => "the datagram is larger than the send buffer (unix(7)): send less, or use unix://",

        // Socket has no name for ENOTDIR, ELOOP and their like: what they have in common is the path.
        ("bind" or "connect", SocketError.SocketError) =>
            "look at the path: each part before the last must be a folder, and no link may lead back to itself",
        _ => null,
    };

    private static string? ForIP(string operation, SocketError error, string target, SystemTools tools) => (operation, error) switch
    {
        ("bind" or "listen", SocketError.AddressAlreadyInUse) =>
            $"another program has this address: stop it ({tools.PortHolder} names it) or choose another; port 0 means any",
        ("bind", SocketError.AccessDenied) => tools.RefusedPort,
        ("bind", SocketError.AddressNotAvailable) =>
            $"no interface of this machine has this address: give one that {tools.Addresses} shows, localhost, or *",
        ("bind" or "connect" or "send", SocketError.InvalidArgument) when IsLinkLocal(target) =>
            "a link-local address takes its interface, as in [fe80::1%eth0]",
        ("connect", SocketError.AddressNotAvailable) =>
            $"no local address or port is left to call from: look at {tools.Addresses} for the family, and {tools.SocketsInUse} for how "
                + "many are in use",
        ("connect", SocketError.ConnectionRefused) => "nothing listens there: start the server, or look at the host and port",
        ("connect", SocketError.ConnectionReset) => "the call was taken and dropped at once: look at the server's log and its limits",
        ("connect" or "send", SocketError.AccessDenied) => 
            "a firewall or a route refuses, or it is a broadcast address: ClientOptions.SocketOptions must not have SO_BROADCAST=0 then",
        ("join", _) => $"no interface takes the group: name one that {tools.Interfaces} shows, as in 239.1.2.3%eth0 or [ff02::1%eth0]",
        ("send" or "receive", SocketError.ConnectionRefused) =>
            "nothing listens on that port (ICMP port unreachable): start the server, or look at the host and port",
        ("send", SocketError.MessageSize) =>
            "a datagram carries at most 65,507 bytes over IPv4 and 65,527 over IPv6: send less, or use tcp",
        _ => null,
    };

    /// <summary>fe80::/10 as it is written, and the groups of one link, ff02::/16 (RFC 4291 sections 2.5.6 and 2.7).</summary>
    private static bool IsLinkLocal(string target) =>
        target.Contains("//[fe80:", StringComparison.Ordinal) || target.Contains("//[ff02:", StringComparison.Ordinal);

    private static string? ForAny(string operation, SocketError error, SystemTools tools) => (operation, error) switch
    {
        ("resolve", SocketError.HostNotFound or SocketError.NoData) => "look at the name's spelling, or give an IP address",
        ("resolve", SocketError.TryAgain) => "the name server does not answer: try again later, or give an IP address",
        ("resolve", SocketError.NoRecovery) => $"the name server refuses to answer: look at {tools.NameServers}, or give an IP address",
        ("connect", SocketError.TimedOut) =>
            "no answer: look whether the host is up and no firewall drops the packets, or allow a longer timeout",
        ("send" or "receive", SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted) =>
            "the peer ended the connection before all was said: look at its log",
        ("receive", SocketError.TimedOut) => "allow a longer timeout, or look whether the server is busy",
        ("send", SocketError.TimedOut) => "the peer takes no more: look whether it is busy or unreachable",
        (_, SocketError.HostUnreachable or SocketError.NetworkUnreachable) =>
            $"there is no route to it: look at {tools.Routes} and the address",
        (_, SocketError.HostDown or SocketError.NetworkDown) => $"the network or the host is down: look at {tools.Interfaces}",
        (_, SocketError.TooManyOpenSockets) => tools.MoreDescriptors,
        (_, SocketError.NoBufferSpaceAvailable) => $"the system is short of memory for sockets: {tools.MoreMemory}",
        (_, SocketError.AddressFamilyNotSupported) => "this system lacks that address family: use the other, as in 127.0.0.1 for ::1",
        _ => null,
    };
}
