using System.Net.Sockets;
using Doorbell.Native;

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
/// Packets of new connections that the kernel dropped here since the listener was made (SO_MEMINFO; ss calls it <c>d</c>): what found a
/// full backlog, but also what a handshake under way has no use for, as a SYN that came twice, or a reset. Null off Linux, and for unix
/// sockets: there the client's connect waits, and nothing is dropped.
/// </param>
/// <param name="Overflowed">
/// How many of these, at most, found the backlog full: a SYN, or the ACK or first data of a client whose SYN had still found a place;
/// those sent again count again. Linux counts it for a whole network namespace only, so this is the lesser of what was dropped here and
/// what <see cref="ListenCounters.ListenOverflows"/> grew by.
/// </param>
public sealed record BacklogReading(Endpoint Endpoint, int? Waiting, int? Limit, long? Dropped, long? Overflowed)
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
        BacklogReading reading = ReadListener(listener, endpoint);
        return ListenCounters.Read() is { } counters && reading.Dropped is { } dropped
            ? reading with { Overflowed = Math.Min(dropped, counters.ListenOverflows) }
            : reading;
    }

    /// <summary>What the listener itself tells: all but <see cref="Overflowed"/>.</summary>
    internal static BacklogReading ReadListener(Socket listener, Endpoint endpoint)
    {
        if (!endpoint.IsUnix)
        {
            (int Waiting, int Limit)? tcp = ListenerInfo.ReadQueue(listener);
            return new BacklogReading(endpoint, tcp?.Waiting, tcp?.Limit, ListenerInfo.ReadDrops(listener), null);
        }

        (int Waiting, int Limit)? unix = UnixDiag.InodeOf(listener) is { } inode ? UnixDiag.ReadQueue(inode) : null;
        return new BacklogReading(endpoint, unix?.Waiting, unix?.Limit, null, null);
    }
}
