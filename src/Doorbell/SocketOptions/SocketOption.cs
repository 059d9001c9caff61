using System.Globalization;
using System.Net.Sockets;

namespace Doorbell.SocketOptions;

/// <summary>What a socket option's value is.</summary>
public enum SocketOptionKind
{
    /// <summary>On or off: 1 or 0.</summary>
    Flag,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A number of bytes; k, m and g are powers of 1,024.</summary>
    Bytes,

    /// <summary>A whole number of seconds.</summary>
    Seconds,

    /// <summary>A length of time to the microsecond (struct timeval).</summary>
    TimeVal,

    /// <summary>Off, or on with a number of seconds (struct linger).</summary>
    Linger,

    /// <summary>A name, such as an interface's.</summary>
    Text,

    /// <summary>An IPv4 address.</summary>
    Address,
}

/// <summary>When a socket option takes effect, and so when it may be set.</summary>
public enum SocketOptionTime
{
    /// <summary>At any time; Doorbell sets it before bind, so that it holds from the first packet.</summary>
    Anytime,

    /// <summary>Before bind(2).</summary>
    BeforeBind,

    /// <summary>By a server, before listen(2) or after.</summary>
    Listening,

    /// <summary>By a client, before connect(2).</summary>
    BeforeConnect,

    /// <summary>On a connection: after accept(2) or connect(2).</summary>
    Connected,
}

/// <summary>An option of sockets as setsockopt(2) and getsockopt(2) take it: what it is called, what it takes, what it does.</summary>
/// <remarks>
/// Level and number are Linux's. On other systems only options that System.Net.Sockets has a name for can be used, and their
/// numbers are its own business.
/// </remarks>
public sealed record SocketOption
{
    internal SocketOption(string name, int number, SocketOptionKind kind, SocketKinds kinds, string description)
    {
        Name = name;
        Number = number;
        Kind = kind;
        Kinds = kinds;
        Description = description;
        Maximum = kind is SocketOptionKind.Flag ? 1 : int.MaxValue;
    }

    /// <summary>As C, POSIX and the manual name it, as in <c>TCP_NODELAY</c>.</summary>
    public string Name { get; }

    /// <summary>As in <c>IPPROTO_TCP</c>.</summary>
    public string LevelName { get; internal init; } = "SOL_SOCKET";

    /// <summary>The level's number on Linux.</summary>
    public int Level { get; internal init; } = 1;

    /// <summary>The option's number on Linux.</summary>
    public int Number { get; }

    /// <summary>What its value is.</summary>
    public SocketOptionKind Kind { get; }

    /// <summary>What it has an effect on. The kernel may know it for more kinds, and do nothing there.</summary>
    public SocketKinds Kinds { get; }

    /// <summary>What it does, in one line.</summary>
    public string Description { get; }

    /// <summary>The unit of the value; empty if it has none.</summary>
    public string Unit
    {
        get => field ?? Kind switch
        {
            SocketOptionKind.Bytes => "bytes",
            SocketOptionKind.Seconds or SocketOptionKind.TimeVal or SocketOptionKind.Linger => "seconds",
            _ => "",
        };
        internal init;
    }

    /// <summary>What values it takes, in words.</summary>
    public string Range
    {
        get => field ?? Kind switch
        {
            SocketOptionKind.Linger => "off, or on,0 to on,2147483647",
            SocketOptionKind.TimeVal => "0 (no limit) and up, to the microsecond",
            SocketOptionKind.Text => "a name",
            SocketOptionKind.Address => "an IPv4 address",
            _ when IsReadOnly => "",
            SocketOptionKind.Flag => "0, 1",
            _ => string.Create(CultureInfo.InvariantCulture, $"{Minimum} to {Maximum}"),
        };
        internal init;
    }

    /// <summary>When it may be set.</summary>
    public SocketOptionTime When { get; internal init; }

    /// <summary>Whether it can only be read.</summary>
    public bool IsReadOnly { get; internal init; }

    /// <summary>Kinds whose accepted connections have what was set on their listener, on Linux.</summary>
    public SocketKinds Inherited { get; internal init; } = SocketKinds.Tcp;

    /// <summary>As .NET names it; null if it has no name for it.</summary>
    public string? DotNetName { get; internal init; }

    /// <summary>As Java names it; null if it has no name for it.</summary>
    public string? JavaName { get; internal init; }

    /// <summary>The manual page or RFC that defines it.</summary>
    public string Reference { get; internal init; } = "socket(7)";

    /// <summary>The least value of a number.</summary>
    internal long Minimum { get; init; }

    /// <summary>The greatest value of a number.</summary>
    internal long Maximum { get; init; }

    /// <summary>4, or 8 where the kernel keeps a long.</summary>
    internal int Size { get; init; } = sizeof(int);

    /// <summary>Whether the number is in network byte order.</summary>
    internal bool IsBigEndian { get; init; }

    /// <summary>What the kernel does to values that it takes otherwise than they were given.</summary>
    internal string? Change { get; init; }

    /// <summary>What it takes to be allowed to set it.</summary>
    internal string? Privilege { get; init; }

    /// <summary>The option in which the effect is read back, if it is not this one.</summary>
    internal string? ReadBackName { get; init; }

    /// <summary>System.Net.Sockets' name, if that does exactly this on every system.</summary>
    internal SocketOptionName? Portable { get; init; }

    /// <summary>Whether a server may set it: on a listener, a datagram socket or a connection accepted.</summary>
    internal bool IsForServers => When != SocketOptionTime.BeforeConnect && !IsReadOnly;

    /// <summary>Whether a client may set it.</summary>
    internal bool IsForClients => When != SocketOptionTime.Listening && !IsReadOnly;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
