using Doorbell.Sessions;

namespace Doorbell;

/// <summary>How a handler's own connection is made; see <see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>.</summary>
public sealed record ConnectOptions
{
    private static readonly TimeSpan _shortestKeepAlive = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestKeepAlive = TimeSpan.FromSeconds(32_767);

    /// <summary>The defaults.</summary>
    public static ConnectOptions Default { get; } = new();

    /// <summary>
    /// Bounds resolving the name and connecting, over all addresses of the name together. Default 10 seconds: Linux alone would send SYNs
    /// for 131 seconds, before Linux 6.5 for 127 (tcp_syn_retries and tcp_syn_linear_timeouts, Documentation/networking/ip-sysctl.rst).
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After so long without anything from the peer the kernel asks whether it is still there, and ends the connection if nothing answers
    /// (SO_KEEPALIVE and TCP_KEEPIDLE, tcp(7)). Whole seconds. Default null: a connection on which nobody sends is never given up.
    /// </summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>The bounds of the new connection. Default null: those of the connection whose handler asks for it.</summary>
    public StreamLimits? Limits { get; init; }

    /// <summary>
    /// What only the transport knows of: <c>ClientOptions</c> has the options of a socket and the address that it is bound to. Default
    /// null: nothing out of the ordinary.
    /// </summary>
    public TransportOptions? Transport { get; init; }

    /// <summary>
    /// Which addresses may be connected: those of a name that are in none of these ranges are passed over, and count as refused (EACCES).
    /// They hold behind the resolver, so that no name leads where its addresses may not. Through proxies they can't be held, since the last
    /// proxy resolves the name: together with <see cref="Via"/> they are refused. Default null: all may.
    /// </summary>
    public IReadOnlyList<TargetRange>? Targets { get; init; }

    /// <summary>
    /// The proxies through which the connection is made, the first one next to us: each connects to the next one, and the last one to the
    /// server, whose name it resolves. The handler hears of the connection when all have. Default none.
    /// </summary>
    public IReadOnlyList<TunnelProxy> Via { get; init; } = [];

    /// <summary>
    /// What makes the layers of the connection, between the wire and the handler, such as <c>new TlsClient(server, options).NewLayer</c>;
    /// the first stands next to the wire, or behind the proxies. The handler hears of the connection when all are open. Any thread may call
    /// them. Default none.
    /// </summary>
    public IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers { get; init; } = [];

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time-out is not positive, the keep-alive not one of 1 to 32,767 seconds, which TCP takes, or a limit is out of range.
    /// </exception>
    /// <exception cref="ArgumentException">There are ranges of targets and proxies.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Timeout, TimeSpan.Zero, nameof(Timeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(KeepAlive ?? _shortestKeepAlive, _shortestKeepAlive, nameof(KeepAlive));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KeepAlive ?? _longestKeepAlive, _longestKeepAlive, nameof(KeepAlive));
        Limits?.Validate();
        if (Targets is not null && Via.Count > 0)
        {
            throw new ArgumentException(
                $"{nameof(Targets)} and {nameof(Via)} exclude each other: the last proxy resolves the name, "
                    + "so its address can't be looked at.");
        }
    }
}
