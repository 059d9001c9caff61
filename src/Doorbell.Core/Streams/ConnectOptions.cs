namespace Doorbell;

/// <summary>How a handler's own connection is made; see <see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>.</summary>
public sealed record ConnectOptions
{
    /// <summary>The defaults.</summary>
    public static ConnectOptions Default { get; } = new();

    /// <summary>
    /// Bounds resolving the name and connecting, over all addresses of the name together. Default 10 seconds: Linux alone would send SYNs
    /// for 127 seconds (tcp(7), tcp_syn_retries).
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The bounds of the new connection. Default null: those of the connection whose handler asks for it.</summary>
    public StreamLimits? Limits { get; init; }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is not positive, or a limit is out of range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Timeout, TimeSpan.Zero, nameof(Timeout));
        Limits?.Validate();
    }
}
