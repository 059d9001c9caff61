using System.Diagnostics.CodeAnalysis;

namespace Doorbell.Serving;

/// <summary>
/// Decides who may come in: so many connections at once, in all and from one address. Every lane asks it, for each connection and each
/// datagram. Any thread may call any member.
/// </summary>
/// <remarks>
/// A connection has a lease, of which there are <see cref="ServerOptions.MaxConnections"/>. Where connections wait in the backlog for room
/// (<see cref="AtLimit.LeaveInBacklog"/>), a lane acquires the lease before it accepts; otherwise
/// <see cref="Decide(PeerAddress, Door, bool)"/> acquires it. The table holds an entry for each address that has a connection open, so the
/// total bounds it.
/// </remarks>
internal sealed class Admission : IDisposable
{
    private readonly SemaphoreSlim _leases;
    private readonly int _maxPerAddress;
    private readonly Dictionary<UInt128, int> _ofAddress = [];
    private readonly HashSet<Action> _waiting = [];
    private readonly Lock _lock = new();
    private readonly SharedAddressCount? _workers;

    /// <param name="options">The limits.</param>
    /// <param name="workers">In a worker process: what the others have.</param>
    public Admission(ServerOptions options, SharedAddressCount? workers = null)
    {
        _workers = workers;
        _leases = new SemaphoreSlim(options.MaxConnections);
        _maxPerAddress = options.MaxConnectionsPerAddress;
        RefusesAtLimit = options.AtLimit == AtLimit.Close;
        Refusal = System.Text.Encoding.UTF8.GetBytes(options.RefusalLine is { } line ? line + "\n" : "");
    }

    /// <summary>Whether one too many is accepted and closed; otherwise it waits in the backlog.</summary>
    public bool RefusesAtLimit { get; }

    /// <summary>How many more connections may come in just now.</summary>
    public int LeasesLeft => _leases.CurrentCount;

    /// <summary>What a peer that is refused is told; perhaps nothing.</summary>
    public byte[] Refusal { get; }

    /// <summary>Waits for a lease.</summary>
    public Task AcquireAsync(CancellationToken stop) => _leases.WaitAsync(stop);

    /// <inheritdoc cref="AcquireAsync"/>
    public void Acquire(CancellationToken stop) => _leases.Wait(stop);

    public bool TryAcquire() => _leases.Wait(0);

    /// <summary>As <see cref="TryAcquire()"/>; if there is no lease, calls back, once, when there may be one.</summary>
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

    /// <summary>A lease was not used.</summary>
    public void Release()
    {
        _leases.Release();
        CallBack();
    }

    /// <summary>Whether this peer may come in at this door. That is all that a datagram needs.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "whom a door denies is an instance's to know")]
    public AdmissionDecision Decide(PeerAddress peer, Door door) => AdmissionDecision.Admitted;

    /// <summary>
    /// Whether this connection may come in. If so it has a lease and is counted, until <see cref="Release(PeerAddress)"/>; if not, it has
    /// none.
    /// </summary>
    /// <param name="peer">Whose it is.</param>
    /// <param name="door">Where it came in.</param>
    /// <param name="leased">A lease has been acquired for it.</param>
    public AdmissionDecision Decide(PeerAddress peer, Door door, bool leased)
    {
        if (!leased && !TryAcquire())
        {
            return AdmissionDecision.Full;
        }

        AdmissionDecision decision = Decide(peer, door);
        if (decision == AdmissionDecision.Admitted && !TryCount(peer))
        {
            decision = AdmissionDecision.TooManyFromAddress;
        }

        if (decision != AdmissionDecision.Admitted)
        {
            Release();
        }

        return decision;
    }

    /// <summary>A connection that was admitted is over.</summary>
    public void Release(PeerAddress peer)
    {
        if (_maxPerAddress != int.MaxValue && peer.Kind is AddressKind.IPv4 or AddressKind.IPv6)
        {
            UInt128 key = KeyOf(peer);
            _workers?.Release();
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

    /// <summary>Counts a connection of a peer; false if its address has too many already.</summary>
    private bool TryCount(PeerAddress peer)
    {
        if (_maxPerAddress == int.MaxValue || peer.Kind is not (AddressKind.IPv4 or AddressKind.IPv6))
        {
            return true;
        }

        UInt128 key = KeyOf(peer);
        if (_workers is not null)
        {
            return _workers.TryAcquire(key, _maxPerAddress);
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

    private void CallBack()
    {
        // A lane that waits puts itself on the list and then tries to acquire. Here the lease is released first, and then the list is
        // looked at.
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
