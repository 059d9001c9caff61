using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>How many connections a <see cref="SimulatedListener"/> takes: the real server's options of the same names.</summary>
public sealed record SimulatedServerOptions
{
    /// <summary>The defaults.</summary>
    public static SimulatedServerOptions Default { get; } = new();

    /// <summary>Connections at once. At the limit the rest waits in the backlog. Default 10,000.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>
    /// Connections at once from one IPv4 address or one IPv6 /64; one more is accepted and closed. Unix peers aren't counted. Default no
    /// limit but <see cref="MaxConnections"/>.
    /// </summary>
    public int MaxConnectionsPerAddress { get; init; } = int.MaxValue;

    /// <summary>
    /// Connections at once that handlers have opened or are opening; one more is not begun. Default null: twice
    /// <see cref="MaxConnections"/>.
    /// </summary>
    public int? MaxOutgoingConnections { get; init; }

    /// <summary>What becomes of one connection too many. Default <see cref="AtLimit.MakeRoom"/>.</summary>
    public AtLimit AtLimit { get; init; } = AtLimit.MakeRoom;

    /// <summary>
    /// Memory that all connections may hold together for output and input; when they hold more, those that hold the most are reset. Default
    /// no limit.
    /// </summary>
    public long MaxBufferedBytes { get; init; } = long.MaxValue;

    /// <summary>What a connection that is refused is told, as a line, before it is closed; default null, nothing.</summary>
    public string? RefusalLine { get; init; }

    /// <summary>
    /// How many connections may wait, complete, to be accepted; as under Linux one more does. Default null: 4,096, Linux's own
    /// (net.core.somaxconn).
    /// </summary>
    public int? ListenBacklog { get; init; }

    /// <summary>
    /// What makes the layers of each connection, the first one next to the wire: a real door's option of the same name. Default none.
    /// </summary>
    public IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers { get; init; } = [];

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnectionsPerAddress);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxOutgoingConnections ?? 1, nameof(MaxOutgoingConnections));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxBufferedBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(ListenBacklog ?? 0, nameof(ListenBacklog));
        if (!Enum.IsDefined(AtLimit))
        {
            throw new ArgumentOutOfRangeException(nameof(AtLimit), AtLimit, "There is no such choice.");
        }
    }
}
