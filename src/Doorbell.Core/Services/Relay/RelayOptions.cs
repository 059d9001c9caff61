using Doorbell.Sessions;

namespace Doorbell;

/// <summary>How a <see cref="Relay"/> carries a connection.</summary>
public sealed record RelayOptions
{
    /// <summary>A side that has this much to send takes no more from the other.</summary>
    internal const int OutputBytes = 64 * 1024;

    /// <summary>The defaults.</summary>
    public static RelayOptions Default { get; } = new();

    /// <summary>
    /// Bytes that wait in each direction between the two connections; when they are so many the side that they come from stops receiving,
    /// and TCP slows its peer. Twice as many more may be at the two connections themselves. Default 64 KiB.
    /// </summary>
    public int BufferBytes { get; init; } = 64 * 1024;

    /// <summary>How long each upstream has to accept the connection before the next one is tried. Default 10 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Which version of the PROXY protocol tells the upstream who the client is, before the client's first byte: 1 or 2. The upstream
    /// has to expect it. Default null: none.
    /// </summary>
    public int? ProxyVersion { get; init; }

    /// <summary>As <see cref="ConnectOptions.Via"/>: the proxies through which each upstream is connected. Default none.</summary>
    public IReadOnlyList<TunnelProxy> Via { get; init; } = [];

    /// <summary>
    /// Which layers the connection to an upstream has, as <see cref="ConnectOptions.Layers"/>; behind the PROXY header. Any thread may call
    /// it. Default none.
    /// </summary>
    public Func<Endpoint, IReadOnlyList<Func<ConnectionInfo, StreamLayer>>> Layers { get; init; } = static _ => [];

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size or a time-out is not positive, or there is no such version.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(BufferBytes);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero, nameof(ConnectTimeout));
        if (ProxyVersion is not (null or 1 or 2))
        {
            throw new ArgumentOutOfRangeException(nameof(ProxyVersion), ProxyVersion, "The versions of the PROXY protocol are 1 and 2.");
        }
    }
}
