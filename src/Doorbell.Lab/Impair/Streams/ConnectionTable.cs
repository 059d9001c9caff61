namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// The connections through the proxy, at most so many: for one more, the one on which no byte has moved for longest is reset. So peers that
/// connect and say nothing keep nobody out. Any thread may call any member.
/// </summary>
/// <param name="most">At most so many.</param>
internal sealed class ConnectionTable(int most)
{
    private readonly Lock _lock = new();

    /// <summary>Those that are open and have to make room for none.</summary>
    private readonly HashSet<ImpairedConnection> _connections = [];
    private readonly long[] _ended = new long[Enum.GetValues<StreamEnd>().Length];
    private long _opened;
    private long _open;

    /// <summary>Connections there were.</summary>
    public long Opened => Interlocked.Read(ref _opened);

    /// <summary>Connections that are open.</summary>
    public long Open => Interlocked.Read(ref _open);

    /// <summary>Connections that were over for this reason.</summary>
    public long EndedBy(StreamEnd end) => Interlocked.Read(ref _ended[(int)end]);

    /// <summary>A client has connected.</summary>
    public void Add(ImpairedConnection connection)
    {
        ImpairedConnection? longestAtRest = null;
        lock (_lock)
        {
            _opened++;
            _open++;
            if (_connections.Count >= most)
            {
                longestAtRest = _connections.MinBy(static open => open.LastMoved)!;
                _connections.Remove(longestAtRest);
            }

            _connections.Add(connection);
        }

        longestAtRest?.EndBy(StreamEnd.Evicted);
    }

    /// <summary>Both sides of a connection are closed.</summary>
    public void Remove(ImpairedConnection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection);
            _open--;
            if (connection.End is { } end)
            {
                _ended[(int)end]++;
            }
        }
    }

    /// <summary>All are to look what is new.</summary>
    public void Ring()
    {
        ImpairedConnection[] all;
        lock (_lock)
        {
            all = [.. _connections];
        }

        Array.ForEach(all, static connection => connection.Ring());
    }
}
