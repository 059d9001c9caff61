using Doorbell.Processes.Workers;

namespace Doorbell.Serving;

/// <summary>Who may come in: so many connections at once, in all and from one address. Any thread may call any member.</summary>
/// <remarks>
/// A lane takes a place before it accepts, asks <see cref="Admits"/> of whom it has accepted, and gives both back with
/// <see cref="Release(PeerAddress)"/>. Its table holds an entry for each address that has a connection open, so the total bounds it.
/// </remarks>
internal sealed class Admission : IDisposable
{
    private readonly SemaphoreSlim _leases;
    private readonly int _maxPerAddress;
    private readonly Dictionary<UInt128, int> _ofAddress = [];
    private readonly HashSet<Action> _waiting = [];
    private readonly Lock _lock = new();

    private readonly SharedPeers? _workers;

    /// <param name="options">The limits.</param>
    /// <param name="workers">In a worker process: what the others have.</param>
    public Admission(ServerOptions options, SharedPeers? workers = null)
    {
        _workers = workers;
        _leases = new SemaphoreSlim(options.MaxConnections);
        _maxPerAddress = options.MaxConnectionsPerAddress;
        RefusesAtLimit = options.AtLimit == AtLimit.Close;
        Refusal = System.Text.Encoding.UTF8.GetBytes(options.RefusalLine is { } line ? line + "\n" : "");
    }

    /// <summary>Whether one too many is accepted and closed; otherwise it waits in the backlog.</summary>
    public bool RefusesAtLimit { get; }

    /// <summary>How many more may come in just now.</summary>
    public int LeasesLeft => _leases.CurrentCount;

    /// <summary>What one that is refused is told; perhaps nothing.</summary>
    public byte[] Refusal { get; }

    /// <summary>Waits for a place. Whoever has one gives it back with <see cref="Release()"/> or <see cref="Release(PeerAddress)"/>.</summary>
    public Task AcquireAsync(CancellationToken stop) => _leases.WaitAsync(stop);

    /// <inheritdoc cref="AcquireAsync"/>
    public void Acquire(CancellationToken stop) => _leases.Wait(stop);

    public bool TryAcquire() => _leases.Wait(0);

    /// <summary>As <see cref="TryAcquire()"/>; if there is no place, calls back, once, when there may be one.</summary>
    public bool TryAcquire(Action whenRoom)
    {
        if (_leases.Wait(0))
        {
            return true;
        }

        lock (_lock)
        {
            _waiting.Add(whenRoom);
        }

        // One may have become free before we were on the list.
        return _leases.Wait(0);
    }

    /// <summary>The place was not used.</summary>
    public void Release()
    {
        _leases.Release();
        CallBack();
    }

    /// <summary>Counts a connection of <paramref name="peer"/>; false if it has too many already. Then the place is still held.</summary>
    public bool Admits(PeerAddress peer)
    {
        if (_maxPerAddress == int.MaxValue || peer.Kind is not (AddressKind.IPv4 or AddressKind.IPv6))
        {
            return true;
        }

        UInt128 key = KeyOf(peer);
        if (_workers is not null)
        {
            return _workers.Admits(key, _maxPerAddress);
        }

        lock (_lock)
        {
            int count = _ofAddress.GetValueOrDefault(key);
            if (count >= _maxPerAddress)
            {
                return false;
            }

            _ofAddress[key] = count + 1;
            return true;
        }
    }

    /// <summary>A connection that was admitted is over.</summary>
    public void Release(PeerAddress peer)
    {
        if (_maxPerAddress != int.MaxValue && peer.Kind is AddressKind.IPv4 or AddressKind.IPv6)
        {
            UInt128 key = KeyOf(peer);
            _workers?.Leave();
            lock (_lock)
            {
                if (_ofAddress.TryGetValue(key, out int count) && count > 1)
                {
                    _ofAddress[key] = count - 1;
                }
                else
                {
                    _ofAddress.Remove(key);
                }
            }
        }

        Release();
    }

    public void Dispose() => _leases.Dispose();

    private void CallBack()
    {
        // Whoever waits puts itself on the list and then looks for a place; the place is given back first and then the list looked at.
        Interlocked.MemoryBarrier();
        if (_waiting.Count == 0)
        {
            return;
        }

        Action[] waiting;
        lock (_lock)
        {
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (Action whenRoom in waiting)
        {
            whenRoom();
        }
    }

    /// <summary>
    /// An IPv6 network hands a host a whole /64 (RFC 4291 section 2.5.1, RFC 6177): it counts as one. No /64 has an IPv4's key,
    /// since the lowest bits of a /64's are 0.
    /// </summary>
    private static UInt128 KeyOf(PeerAddress peer) =>
        peer.Kind == AddressKind.IPv4 ? (peer.Bits << 1) | 1 : peer.Bits & ~(UInt128)ulong.MaxValue;
}
