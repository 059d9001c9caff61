using Doorbell.Sessions;

namespace Doorbell.Serving;

/// <summary>
/// Decides who may come in: whom a door admits, and so many connections at once, in all, at one door and from one address. Every lane asks
/// it, for each connection and each datagram. Any thread may call any member.
/// </summary>
/// <remarks>
/// A connection has a lease, of which there are <see cref="ServerOptions.MaxConnections"/>, and a place at its door, of which there are
/// <see cref="DoorLimits.MaxConnections"/>. Where connections wait in the backlog for room (<see cref="AtLimit.LeaveInBacklog"/>), a lane
/// acquires both before it accepts. Where the longest at rest makes room (<see cref="AtLimit.MakeRoom"/>), a lane accepts first, and then
/// acquires both, with <see cref="AskForRoom(object, Door?, int, TimeSpan)"/> if there is none. Where one too many is refused,
/// <see cref="Decide(PeerAddress, Door, bool)"/> acquires them. At a door with layers the
/// address is counted when the layers are open (<see cref="PeerAdmissionLayer"/>): until then it is not known whose the connection is.
/// </remarks>
internal sealed class Admission : IDisposable
{
    private readonly SemaphoreSlim _leases;

    /// <summary>By the numbers of the doors that have a bound.</summary>
    private readonly Dictionary<int, SemaphoreSlim> _places = [];
    private readonly AddressCounts _ofAddress;
    private readonly HashSet<Action> _waiting = [];
    private readonly Lock _lock = new();
    private readonly LongestAtRest _atRest;

    /// <param name="options">The limits.</param>
    /// <param name="workers">In a worker process: what the others have.</param>
    /// <param name="leastRest">For so long a connection is at rest before it makes room.</param>
    public Admission(ServerOptions options, SharedConnectionCounts? workers = null, TimeSpan leastRest = default)
    {
        Workers = workers;
        _atRest = new LongestAtRest(Connections, leastRest);
        _leases = new SemaphoreSlim(options.MaxConnections);
        _ofAddress = new AddressCounts(options.MaxConnectionsPerAddress, workers);
        foreach ((int number, DoorOptions door) in options.AllDoors.Index())
        {
            if (door.Limits.MaxConnections is { } max)
            {
                _places.Add(number, new SemaphoreSlim(max));
            }
        }

        RefusesAtLimit = options.AtLimit == AtLimit.Close;

        // The connections of the other worker processes are not known here.
        MakesRoom = options.AtLimit == AtLimit.MakeRoom && workers is null;
        Refusal = System.Text.Encoding.UTF8.GetBytes(options.RefusalLine is { } line ? line + "\n" : "");
    }

    /// <summary>The connections that are open, of all lanes.</summary>
    public OpenConnections Connections { get; } = new();

    /// <summary>In a worker process: what the others have.</summary>
    public SharedConnectionCounts? Workers { get; }

    /// <summary>Whether one too many is accepted and closed.</summary>
    public bool RefusesAtLimit { get; }

    /// <summary>Whether another makes room for one too many, which is accepted and waits for that.</summary>
    public bool MakesRoom { get; }

    /// <summary>Whether one too many waits in the backlog: the lane acquires what it needs before it accepts.</summary>
    public bool LeavesInBacklog => !RefusesAtLimit && !MakesRoom;

    /// <summary>How many more connections may come in just now.</summary>
    public int LeasesLeft => _leases.CurrentCount;

    /// <summary>What a peer that is refused is told; perhaps nothing.</summary>
    public byte[] Refusal { get; }

    /// <summary>Waits for a lease.</summary>
    public Task AcquireAsync(CancellationToken stop) => _leases.WaitAsync(stop);

    /// <inheritdoc cref="AcquireAsync"/>
    public void Acquire(CancellationToken stop) => _leases.Wait(stop);

    public bool TryAcquire() => _leases.Wait(0);

    /// <summary>
    /// Asks those that have been at rest for the longest to make room for connections that wait. The lane looks again when it is called
    /// back, or after <see cref="LongestAtRest.LookAgain"/>: perhaps none is at rest yet.
    /// </summary>
    /// <param name="lane">Whose newcomers wait. Before it acquires places for them it says <see cref="WaitsNoMore"/>.</param>
    /// <param name="door">Which door is full; null if there is no lease.</param>
    /// <param name="wanted">How many wait.</param>
    /// <param name="now">On the monotonic scale.</param>
    public void AskForRoom(object lane, Door? door, int wanted, TimeSpan now) =>
        _atRest.Ask(lane, door, door is null ? _leases : _places[door.Number], wanted, now);

    /// <summary>As <see cref="AskForRoom(object, Door?, int, TimeSpan)"/>, where what is full is all lanes, one connection each.</summary>
    public void AskForRoom(object lane, SemaphoreSlim freeLanes, int wanted, TimeSpan now) =>
        _atRest.Ask(lane, null, freeLanes, wanted, now);

    /// <inheritdoc cref="LongestAtRest.WaitsNoMore"/>
    public void WaitsNoMore(object lane) => _atRest.WaitsNoMore(lane);

    /// <summary>
    /// A connection that was asked to make room stays: its peer has made progress, its handler works, or the order was withdrawn.
    /// </summary>
    public void RoomNotMade(RoomOrder order)
    {
        _atRest.Answered(order);
        CallBack();
    }

    /// <summary>As <see cref="TryAcquire()"/>; if there is no lease, calls back, once, when there may be one.</summary>
    public bool TryAcquire(Action whenRoom) => TryWait(_leases, whenRoom);

    /// <summary>A lease was not used.</summary>
    public void Release()
    {
        _leases.Release();
        CallBack();
    }

    /// <summary>Whether a door has a bound of its own, so that a connection needs a place there.</summary>
    public static bool IsBounded(Door door) => door.Limits.MaxConnections is not null;

    /// <summary>Waits for a place at a door, which there always is where the door has no bound. No worker process may call it.</summary>
    public Task AcquireAtAsync(Door door, CancellationToken stop) =>
        IsBounded(door) ? _places[door.Number].WaitAsync(stop) : Task.CompletedTask;

    public bool TryAcquireAt(Door door) => TryAcquireAt(door, whenRoom: null);

    /// <summary>As <see cref="TryAcquireAt(Door)"/>; if there is no place, calls back, once, when there may be one.</summary>
    public bool TryAcquireAt(Door door, Action? whenRoom) => door.Limits.MaxConnections is not { } max
        || (Workers is not null ? Workers.TryAcquireAt(door.Number, max) : TryWait(_places[door.Number], whenRoom));

    /// <summary>A place at a door was not used, or is no more.</summary>
    public void ReleaseAt(Door door)
    {
        if (!IsBounded(door))
        {
            return;
        }

        if (Workers is not null)
        {
            Workers.ReleaseAt();
        }
        else
        {
            _places[door.Number].Release();
            CallBack();
        }
    }

    /// <summary>Whether this peer may come in at this door. That is all that a datagram needs.</summary>
    public static AdmissionDecision Decide(PeerAddress peer, Door door) =>
        door.Access.Admits(peer) ? AdmissionDecision.Admitted : AdmissionDecision.Denied;

    /// <summary>
    /// Whether this connection may come in. If so it has a lease and a place and is counted, until <see cref="Release(Door, PeerAddress)"/>
    /// or <see cref="Release(Door, ConnectionInfo, RoomOrder?)"/>; if not, it has none.
    /// </summary>
    /// <param name="peer">Whose it is.</param>
    /// <param name="door">Where it came in. Unless <see cref="RefusesAtLimit"/>, a place there goes with its lease.</param>
    /// <param name="leased">A lease has been acquired for it.</param>
    public AdmissionDecision Decide(PeerAddress peer, Door door, bool leased)
    {
        AdmissionDecision decision = Decide(peer, door);
        bool placed = LeavesInBacklog || (MakesRoom && leased);
        if (decision == AdmissionDecision.Admitted)
        {
            leased = leased || TryAcquire();
            placed = placed || (leased && TryAcquireAt(door));
            decision = !leased || !placed ? AdmissionDecision.Full
                : door.Layers.Count == 0 && !_ofAddress.TryAdd(peer, door) ? AdmissionDecision.TooManyFromAddress
                : AdmissionDecision.Admitted;
        }

        if (decision != AdmissionDecision.Admitted && placed)
        {
            ReleaseAt(door);
        }

        if (decision != AdmissionDecision.Admitted && leased)
        {
            Release();
        }

        return decision;
    }

    /// <summary>Whether a connection for which another has to make room would be refused when it has its place: so it is at once.</summary>
    public bool RefusesAnyway(PeerAddress peer, Door door) => Decide(peer, door) != AdmissionDecision.Admitted
        || (door.Layers.Count == 0 && _ofAddress.IsFull(peer, door));

    /// <summary>Whether the peer that is known once a door's layers are open has to be asked for.</summary>
    public bool DecidesBehindLayers(Door door) => door.Layers.Count > 0 && (!door.Access.AdmitsEveryone || _ofAddress.CountsAt(door));

    /// <summary>
    /// Whether a connection whose layers are open may go on. If so its address is counted, until
    /// <see cref="Release(Door, ConnectionInfo, RoomOrder?)"/>.
    /// </summary>
    /// <param name="peer">Whom the layers have named, or else the transport's.</param>
    /// <param name="door">Where it came in.</param>
    public AdmissionDecision DecideBehindLayers(PeerAddress peer, Door door) =>
        Decide(peer, door) is var decision and not AdmissionDecision.Admitted ? decision
            : _ofAddress.TryAdd(peer, door) ? AdmissionDecision.Admitted
            : AdmissionDecision.TooManyFromAddress;

    /// <summary>A connection that was admitted, but that no session has carried, is over.</summary>
    public void Release(Door door, PeerAddress peer)
    {
        if (door.Layers.Count == 0)
        {
            _ofAddress.Remove(peer, door);
        }

        ReleaseAt(door);
        Release();
    }

    /// <summary>A connection that was admitted is over.</summary>
    /// <param name="door">Where it came in.</param>
    /// <param name="connection">What is known of it.</param>
    /// <param name="order">Perhaps it had to make room.</param>
    public void Release(Door door, ConnectionInfo connection, RoomOrder? order)
    {
        if (door.Layers.Count > 0 && connection.Get<CountedAddress>() is { } counted)
        {
            _ofAddress.Remove(counted.Peer, door);
        }

        Release(door, connection.TransportPeer);
        if (order is not null)
        {
            _atRest.Answered(order);
        }
    }

    public void Dispose()
    {
        _leases.Dispose();
        foreach (SemaphoreSlim places in _places.Values)
        {
            places.Dispose();
        }
    }

    private bool TryWait(SemaphoreSlim free, Action? whenRoom)
    {
        if (free.Wait(0))
        {
            return true;
        }

        if (whenRoom is null)
        {
            return false;
        }

        lock (_lock)
        {
            _waiting.Add(whenRoom);
        }

        // One may have become free before we were on the list.
        return free.Wait(0);
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
}
