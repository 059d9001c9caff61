namespace Doorbell.Serving;

/// <summary>
/// How many connections each address has: all together, or at one door that has a bound of its own. It holds an entry for each address
/// that has a connection open, so the limit of all connections bounds it. Any thread may call any member.
/// </summary>
/// <param name="maxOfServer">So many from one address, where the door has no bound of its own.</param>
/// <param name="workers">In a worker process: what the others have.</param>
internal sealed class AddressCounts(int maxOfServer, SharedConnectionCounts? workers)
{
    private readonly Dictionary<(int Scope, UInt128 Address), int> _counts = [];
    private readonly Lock _lock = new();

    /// <summary>Whether connections at this door are counted by their address.</summary>
    public bool CountsAt(Door door) => MaxAt(door) != int.MaxValue;

    /// <summary>Counts a connection of a peer; false if its address has too many already.</summary>
    public bool TryAdd(PeerAddress peer, Door door)
    {
        if (!IsCounted(peer, door))
        {
            return true;
        }

        (int Scope, UInt128 Address) key = KeyOf(peer, door);
        if (workers is not null)
        {
            return workers.TryAcquire(key.Scope, key.Address, MaxAt(door));
        }

        lock (_lock)
        {
            int count = _counts.GetValueOrDefault(key);
            if (count >= MaxAt(door))
            {
                return false;
            }

            _counts[key] = count + 1;
            return true;
        }
    }

    /// <summary>Whether a peer's address has as many connections as it may have.</summary>
    public bool IsFull(PeerAddress peer, Door door)
    {
        if (!IsCounted(peer, door))
        {
            return false;
        }

        lock (_lock)
        {
            return _counts.GetValueOrDefault(KeyOf(peer, door)) >= MaxAt(door);
        }
    }

    /// <summary>A connection that was counted is over.</summary>
    public void Remove(PeerAddress peer, Door door)
    {
        if (!IsCounted(peer, door))
        {
            return;
        }

        workers?.Release();
        lock (_lock)
        {
            (int Scope, UInt128 Address) key = KeyOf(peer, door);
            if (_counts.TryGetValue(key, out int count) && count > 1)
            {
                _counts[key] = count - 1;
            }
            else
            {
                _counts.Remove(key);
            }
        }
    }

    private int MaxAt(Door door) => door.Limits.MaxConnectionsPerAddress ?? maxOfServer;

    private bool IsCounted(PeerAddress peer, Door door) => CountsAt(door) && peer.Kind is (AddressKind.IPv4 or AddressKind.IPv6);

    /// <summary>
    /// An IPv6 network hands a host a whole /64 (RFC 4291 section 2.5.1, RFC 6177): it counts as one. No /64 has an IPv4's key, since the
    /// lowest bits of a /64's are 0. A door that has a bound of its own is a scope of its own.
    /// </summary>
    private static (int Scope, UInt128 Address) KeyOf(PeerAddress peer, Door door) => (
        door.Limits.MaxConnectionsPerAddress is null ? 0 : door.Number + 1,
        peer.Kind == AddressKind.IPv4 ? (peer.Bits << 1) | 1 : peer.Bits & ~(UInt128)ulong.MaxValue);
}
