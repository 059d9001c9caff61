namespace Doorbell.Serving;

/// <summary>
/// Finds the connections that have been at rest for the longest, and asks them to make room. One look at all connections finds the next
/// ones to go too, so that a crowd of newcomers costs a small part of a look for each. Any thread may call any member.
/// </summary>
/// <param name="connections">Those of all lanes.</param>
internal sealed class LongestAtRest(OpenConnections connections)
{
    /// <summary>So many are found at a time.</summary>
    private const int Found = 64;

    /// <summary>For so long what was found counts, and nobody looks again where none was at rest.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// An order that is not carried out within this time is given to another connection: the lane may be in a handler that does not return.
    /// </summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();

    /// <summary>While looking, the one with the shortest rest is in front.</summary>
    private readonly PriorityQueue<(OpenConnections Part, IOpenConnection Connection), TimeSpan> _looking = new(Found);

    /// <summary>By the number of the door, or -1 for all doors; the longest at rest on top.</summary>
    private readonly Dictionary<int, Scope> _scopes = [];

    /// <summary>Asks as many to make room as are wanted, less those that have been asked and are not gone.</summary>
    /// <param name="door">Where; null for anywhere.</param>
    /// <param name="wanted">How many.</param>
    /// <param name="now">On the monotonic scale.</param>
    public void Ask(Door? door, int wanted, TimeSpan now)
    {
        lock (_lock)
        {
            Scope scope = ScopeOf(door);
            if (now - scope.AskedAt >= _patience)
            {
                scope.Asked = 0;
            }

            while (scope.Asked < wanted && TryAskNext(scope, door, now))
            {
                scope.Asked++;
                scope.AskedAt = now;
            }
        }
    }

    /// <summary>A connection is gone, or one that was asked stays.</summary>
    /// <param name="door">Where it came in.</param>
    public void Answered(Door door)
    {
        lock (_lock)
        {
            Answered(door.Number);
            Answered(-1);
        }
    }

    private void Answered(int number)
    {
        if (_scopes.TryGetValue(number, out Scope? scope) && scope.Asked > 0)
        {
            scope.Asked--;
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
            if (next.Part.TryAskToMakeRoom(next.Connection, next.Rested, now))
            {
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
            if (door is not null && connection.At!.Number != door.Number)
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
        public Stack<(OpenConnections Part, IOpenConnection Connection, TimeSpan Rested)> Longest { get; } = new(Found);

        /// <summary>How many have been asked and have not answered.</summary>
        public int Asked { get; set; }

        public TimeSpan AskedAt { get; set; }

        public TimeSpan LookedAt { get; set; }

        /// <summary>The last look has found some.</summary>
        public bool HasFound { get; set; }
    }
}
