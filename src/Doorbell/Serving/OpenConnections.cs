namespace Doorbell.Serving;

/// <summary>
/// The connections that are open, so that they can be listed and closed. A connection enters and leaves under a lock, which is its lane's
/// own and so nearly always free; between, a request costs nothing. While the lock is held no connection of the list is closed, so its
/// descriptor and its session may be read. Reading never waits for a lane: a lane that is stuck in a handler is what one looks for.
/// </summary>
internal sealed class OpenConnections
{
    private readonly Lock _lock = new();
    private readonly List<IOpenConnection> _connections = [];

    /// <summary>Those that somebody waits to be closed.</summary>
    private readonly Dictionary<IOpenConnection, TaskCompletionSource> _awaited = [];

    private OpenConnections[] _lanes = [];

    /// <summary>A part of this list for one lane.</summary>
    public OpenConnections PartOfLane()
    {
        OpenConnections part = new();
        lock (_lock)
        {
            _lanes = [.. _lanes, part];
        }

        return part;
    }

    /// <summary>It is open from here on.</summary>
    public void Add(IOpenConnection connection)
    {
        lock (_lock)
        {
            connection.ListIndex = _connections.Count;
            _connections.Add(connection);
        }
    }

    /// <summary>It is about to be closed: nobody reads it any more. One that was never added is no matter.</summary>
    /// <returns>
    /// What somebody waits for, or null: to be completed when the connection is closed and counted, so that who waited finds it so.
    /// </returns>
    public TaskCompletionSource? Remove(IOpenConnection connection)
    {
        lock (_lock)
        {
            if (!Has(connection))
            {
                return null;
            }

            int index = connection.ListIndex;
            _connections[index] = _connections[^1];
            _connections[index].ListIndex = index;
            _connections.RemoveAt(_connections.Count - 1);
            return _awaited.Remove(connection, out TaskCompletionSource? over) ? over : null;
        }
    }

    /// <summary>All of them, of all lanes.</summary>
    public List<ConnectionSnapshot> Read() =>
        [.. ReadOwn().Select(static open => open.Snapshot), .. Volatile.Read(ref _lanes).SelectMany(static lane => lane.Read())];

    /// <summary>Asks the lanes to close those that match.</summary>
    /// <returns>For each of them a task that ends when it is over.</returns>
    public List<Task> Close(Func<ConnectionSnapshot, bool> which, CloseMode how)
    {
        List<Task> closing = [];

        // What matches is the caller's code: it runs without the lock.
        foreach ((IOpenConnection connection, ConnectionSnapshot snapshot) in ReadOwn())
        {
            if (which(snapshot) && TryClose(connection, how) is { } over)
            {
                closing.Add(over);
            }
        }

        closing.AddRange(Volatile.Read(ref _lanes).SelectMany(lane => lane.Close(which, how)));
        return closing;
    }

    /// <summary>
    /// Tells of each accepted connection whose peer is at rest, of all lanes, for how long it has been. Those that have an order to make
    /// room are passed over: their lanes will answer it, or are stuck.
    /// </summary>
    /// <param name="now">On the monotonic scale.</param>
    /// <param name="found">Called under the lane's lock.</param>
    public void FindAtRest(TimeSpan now, Action<OpenConnections, IOpenConnection, TimeSpan> found)
    {
        lock (_lock)
        {
            foreach (IOpenConnection connection in _connections)
            {
                if (connection is { At: not null, RoomOrder: null } && connection.RestAt(now) is { Ticks: > 0 } rest)
                {
                    found(this, connection, rest);
                }
            }
        }

        foreach (OpenConnections lane in Volatile.Read(ref _lanes))
        {
            lane.FindAtRest(now, found);
        }
    }

    /// <summary>Tells of each connection of all lanes.</summary>
    /// <param name="found">Called under the lane's lock.</param>
    public void ForEach(Action<OpenConnections, IOpenConnection> found)
    {
        lock (_lock)
        {
            foreach (IOpenConnection connection in _connections)
            {
                found(this, connection);
            }
        }

        foreach (OpenConnections lane in Volatile.Read(ref _lanes))
        {
            lane.ForEach(found);
        }
    }

    /// <summary>Asks a connection of this part to give its memory back, if it is still open.</summary>
    public bool TryAskToGiveBack(IOpenConnection connection, long held)
    {
        lock (_lock)
        {
            if (!Has(connection))
            {
                return false;
            }

            connection.AskToGiveBack(held);
            return true;
        }
    }

    /// <summary>Asks a connection of this part to make room, if it is still open and has rested on since it was found.</summary>
    public bool TryAskToMakeRoom(IOpenConnection connection, TimeSpan rested, RoomOrder order)
    {
        lock (_lock)
        {
            if (!Has(connection) || connection.RoomOrder is not null || connection.RestAt(order.GivenAt) < rested)
            {
                return false;
            }

            connection.AskToMakeRoom(order);
            return true;
        }
    }

    private List<(IOpenConnection Connection, ConnectionSnapshot Snapshot)> ReadOwn()
    {
        lock (_lock)
        {
            TimeSpan now = MonotonicClock.Now;
            return [.. _connections.Select(connection => (connection, connection.Read(now)))];
        }
    }

    /// <summary>Null if it is over already.</summary>
    private Task? TryClose(IOpenConnection connection, CloseMode how)
    {
        lock (_lock)
        {
            if (!Has(connection))
            {
                return null;
            }

            if (!_awaited.TryGetValue(connection, out TaskCompletionSource? over))
            {
                over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited.Add(connection, over);
            }

            connection.AskToClose(how);
            return over.Task;
        }
    }

    private bool Has(IOpenConnection connection) =>
        connection.ListIndex < _connections.Count && _connections[connection.ListIndex] == connection;
}
