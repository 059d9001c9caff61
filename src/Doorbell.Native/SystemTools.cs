namespace Doorbell.Native;

/// <summary>What a system has to look at its sockets with: the parts of an advice that differ from system to system.</summary>
internal sealed record SystemTools
{
    /// <summary>Names the program that has a port.</summary>
    public required string PortHolder { get; init; }

    /// <summary>How to come by the program that has a unix socket.</summary>
    public required string PathHolder { get; init; }

    /// <summary>Why a port that is free can't be had, and what to do.</summary>
    public required string RefusedPort { get; init; }

    /// <summary>Shows the addresses of this machine.</summary>
    public required string Addresses { get; init; }

    /// <summary>Shows the interfaces by name.</summary>
    public required string Interfaces { get; init; }

    /// <summary>Shows the routes.</summary>
    public required string Routes { get; init; }

    /// <summary>Shows the sockets in use.</summary>
    public required string SocketsInUse { get; init; }

    /// <summary>Tells which name servers are asked.</summary>
    public required string NameServers { get; init; }

    /// <summary>What to do when no more sockets can be opened.</summary>
    public required string MoreDescriptors { get; init; }

    /// <summary>What to do when there is no memory for a socket.</summary>
    public required string MoreMemory { get; init; }

    /// <summary>What to use instead of unix sockets, or of datagrams over them, where the system has none.</summary>
    public required string WithoutUnixSockets { get; init; }

    public static SystemTools Linux { get; } = new()
    {
        PortHolder = "ss -lntup",
        PathHolder = "stop the program (ss -lxp names it)",
        RefusedPort = "a port below 1024 takes root, CAP_NET_BIND_SERVICE or a lower `sysctl net.ipv4.ip_unprivileged_port_start`: "
            + "choose a higher port, or allow it",
        Addresses = "`ip address`",
        Interfaces = "`ip link`",
        Routes = "`ip route`",
        SocketsInUse = "`ss -s`",
        NameServers = "/etc/resolv.conf",
        MoreDescriptors = "out of file descriptors: raise `ulimit -n`, or serve fewer connections at once",
        MoreMemory = "try again, or raise net.core's limits",
        WithoutUnixSockets = "this kernel was built without unix sockets: use tcp:// or udp:// on 127.0.0.1",
    };

    public static SystemTools MacOS { get; } = new()
    {
        PortHolder = "lsof -nP -i",
        PathHolder = "stop the program (lsof -U names it)",
        RefusedPort = "a port below 1024 takes root: choose a higher port",
        Addresses = "`ifconfig`",
        Interfaces = "`ifconfig -l`",
        Routes = "`netstat -rn`",
        SocketsInUse = "`netstat -an`",
        NameServers = "`networksetup -getdnsservers`",
        MoreDescriptors = "out of file descriptors: raise `ulimit -n`, or serve fewer connections at once",
        MoreMemory = "try again, or serve fewer connections at once",
        WithoutUnixSockets = "use tcp:// or udp:// on 127.0.0.1",
    };

    /// <summary>
    /// bind answers WSAEACCES where another socket has the port for itself alone (SO_EXCLUSIVEADDRUSE), or where Windows keeps a range of
    /// ports back, as Hyper-V has it do.
    /// </summary>
    public static SystemTools Windows { get; } = new()
    {
        PortHolder = "netstat -ano",
        PathHolder = "stop the program",
        RefusedPort = "another program has the port for itself alone (netstat -ano names it), or Windows keeps it back "
            + "(`netsh interface ipv4 show excludedportrange tcp`, or udp): choose another port",
        Addresses = "`ipconfig`",
        Interfaces = "`netsh interface show interface`",
        Routes = "`route print`",
        SocketsInUse = "`netstat -an`",
        NameServers = "`ipconfig /all`",
        MoreDescriptors = "the system opens no more sockets: serve fewer connections at once",
        MoreMemory = "try again, or serve fewer connections at once",
        WithoutUnixSockets = "Windows has unix:// since Windows 10 version 1803, and unix+dgram:// not at all: "
            + "use tcp:// or udp:// on 127.0.0.1",
    };

    /// <summary>This system's.</summary>
    public static SystemTools Here => OperatingSystem.IsWindows() ? Windows : OperatingSystem.IsMacOS() ? MacOS : Linux;
}
