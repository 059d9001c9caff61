namespace Doorbell.Serving;

/// <summary>
/// Finds the connections that have been at rest for the longest, and orders them to make room: as many as wait, less the places that are
/// free and the orders that are not answered. One look at all connections finds the next ones to go too, so that a crowd of newcomers
/// costs a small part of a look for each. Any thread may call any member.
/// </summary>
/// <param name="connections">Those of all lanes.</param>
/// <param name="leastRest">Who has been at rest for less does not go.</param>
internal sealed class LongestAtRest(OpenConnections connections, TimeSpan leastRest = default)
{
    /// <summary>So many are found at a time.</summary>
    private const int Found = 256;

    /// <summary>For so long what was found counts, and nobody looks again where none was at rest.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>An order that no lane takes within this time is withdrawn: the lane may be in a handler that does not return.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A connection that its lane closes is gone at once, unless a layer's last notice waits for a peer that reads nothing: then it is not
    /// waited for longer than this.
    /// </summary>
    private static readonly TimeSpan _closingTakes = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();

    /// <summary>While looking, the one with the shortest rest is in front.</summary>
    private readonly PriorityQueue<(OpenConnections Part, IOpenConnection Connection), TimeSpan> _looking = new(Found);

    /// <summary>By the number of the door, or -1 for all doors.</summary>
    private readonly Dictionary<int, Scope> _scopes = [];

    /// <summary>Those that have not been answered; never more than newcomers wait at once.</summary>
    private readonly List<RoomOrder> _orders = [];

    /// <summary>Says how many of a lane's newcomers wait, and orders as many connections to make room as all lanes lack.</summary>
    /// <param name="lane">Whose newcomers they are; what it said before at the same place holds no longer.</param>
    /// <param name="door">Where; null for anywhere.</param>
    /// <param name="places">Those that are free there. Whoever frees one answers its order afterwards.</param>
    /// <param name="wanted">How many wait.</param>
    /// <param name="now">On the monotonic scale.</param>
    public void Ask(object lane, Door? door, SemaphoreSlim places, int wanted, TimeSpan now)
    {
        lock (_lock)
        {
            Scope scope = ScopeOf(door);
            scope.Wanted[lane] = wanted;
            _orders.RemoveAll(order => now - order.GivenAt is var age
                && ((age >= _patience && order.TryWithdraw()) || age >= _closingTakes));
            int ordered = door is null ? _orders.Count : _orders.Count(order => order.Door.Number == door.Number);
            int missing = scope.Wanted.Values.Sum() - places.CurrentCount - ordered;
            while (missing > 0 && TryAskNext(scope, door, now))
            {
                missing--;
            }
        }
    }

    /// <summary>
    /// The lane is about to acquire places for its newcomers: none of them waits until it says so again. Said before it acquires, or
    /// another lane would find neither the place that this one took nor an order for it, and let one connection too many go.
    /// </summary>
    public void WaitsNoMore(object lane)
    {
        lock (_lock)
        {
            foreach (Scope scope in _scopes.Values)
            {
                scope.Wanted.Remove(lane);
            }
        }
    }

    /// <summary>The connection is gone, and its places are free; or it stays.</summary>
    public void Answered(RoomOrder order)
    {
        lock (_lock)
        {
            _orders.Remove(order);
        }
    }

    private Scope ScopeOf(Door? door)
    {
        int number = door?.Number ?? -1;
        if (!_scopes.TryGetValue(number, out Scope? scope))
        {
            _scopes.Add(number, scope = new Scope());
        }

        return scope;
    }

    private bool TryAskNext(Scope scope, Door? door, TimeSpan now)
    {
        if (now - scope.LookedAt >= LookAgain || (scope.Longest.Count == 0 && scope.HasFound))
        {
            Look(scope, door, now);
        }

        while (scope.Longest.TryPop(out (OpenConnections Part, IOpenConnection Connection, TimeSpan Rested) next))
        {
            RoomOrder order = new(next.Connection.At!, now);
            if (next.Part.TryAskToMakeRoom(next.Connection, next.Rested, order))
            {
                _orders.Add(order);
                return true;
            }
        }

        return false;
    }

    private void Look(Scope scope, Door? door, TimeSpan now)
    {
        scope.LookedAt = now;
        scope.Longest.Clear();
        connections.FindAtRest(now, (part, connection, rest) =>
        {
            if (rest < leastRest || (door is not null && connection.At!.Number != door.Number))
            {
                return;
            }

            if (_looking.Count < Found)
            {
                _looking.Enqueue((part, connection), rest);
            }
            else
            {
                _looking.EnqueueDequeue((part, connection), rest);
            }
        });
        scope.HasFound = _looking.Count > 0;
        while (_looking.TryDequeue(out (OpenConnections Part, IOpenConnection Connection) found, out TimeSpan rest))
        {
            scope.Longest.Push((found.Part, found.Connection, rest));
        }
    }

    /// <summary>All connections, or those of one door.</summary>
    private sealed class Scope
    {
        /// <summary>The longest at rest on top.</summary>
        public Stack<(OpenConnections Part, IOpenConnection Connection, TimeSpan Rested)> Longest { get; } = new(Found);

        /// <summary>How many newcomers wait, by their lanes.</summary>
        public Dictionary<object, int> Wanted { get; } = [];

        public TimeSpan LookedAt { get; set; }

        /// <summary>The last look has found some.</summary>
        public bool HasFound { get; set; }
    }
}
