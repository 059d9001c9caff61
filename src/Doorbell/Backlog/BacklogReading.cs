using System.Net.Sockets;

namespace Doorbell;

/// <summary>A listener's backlog at one moment, as <c>ss -lt</c> shows it. What the system does not tell is null.</summary>
/// <param name="Endpoint">The listener's.</param>
/// <param name="Waiting">
/// Connections that are complete and not accepted yet. Linux lets one more wait than <paramref name="Limit"/> says. Null off Linux.
/// </param>
/// <param name="Limit">
/// The backlog that the kernel made of the one asked for: at most net.core.somaxconn (listen(2)). Null off Linux.
/// </param>
/// <param name="Dropped">
/// Connection attempts that the kernel dropped here since the listener was made: nearly always because the backlog was full. A client
/// that tries again and is dropped again counts again. Null off Linux, and for unix sockets: there a client waits, and no attempt is
/// dropped.
/// </param>
public sealed record BacklogReading(Endpoint Endpoint, int? Waiting, int? Limit, long? Dropped)
{
    /// <summary>Whether the next connection attempt would find no place.</summary>
    public bool IsFull => Waiting > Limit;

    /// <summary>Reads any listening stream socket's backlog. Any thread may call it.</summary>
    /// <param name="listener">TCP or unix; stays its owner's.</param>
    /// <param name="endpoint">Its endpoint.</param>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static BacklogReading Read(Socket listener, Endpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ArgumentNullException.ThrowIfNull(endpoint);
        (int Waiting, int Limit)? queue = endpoint.IsUnix
            ? UnixDiag.InodeOf(listener) is { } inode ? UnixDiag.ReadQueue(inode) : null
            : ListenerInfo.ReadQueue(listener);
        return new BacklogReading(endpoint, queue?.Waiting, queue?.Limit, endpoint.IsUnix ? null : ListenerInfo.ReadDrops(listener));
    }
}
