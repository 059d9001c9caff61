namespace Doorbell.Serving;

/// <summary>Finds the connections that hold the most memory, and asks them to give it back. One thread at a time.</summary>
/// <param name="connections">Those of all lanes.</param>
internal sealed class GreediestConnections(OpenConnections connections)
{
    /// <summary>
    /// So long what a connection holds that was asked counts as given back. The lane may be in a handler that does not return: then others
    /// have to give.
    /// </summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private readonly List<(OpenConnections Part, IOpenConnection Connection, long Held, TimeSpan RestsFor)> _found = [];

    /// <summary>When each was asked.</summary>
    private readonly Dictionary<IOpenConnection, TimeSpan> _asked = [];

    /// <summary>Asks as many as together hold so much more than is being given back already, the greediest first.</summary>
    /// <param name="bytes">What is to be given back.</param>
    /// <param name="now">On the monotonic scale.</param>
    /// <returns>How many were asked.</returns>
    public int Ask(long bytes, TimeSpan now)
    {
        bytes -= BeingGivenBack(now);
        int before = _asked.Count;
        connections.ForEach((part, connection) =>
        {
            long held = connection.HeldBytes;
            if (held > 0 && !_asked.ContainsKey(connection))
            {
                _found.Add((part, connection, held, connection.RestAt(now)));
            }
        });

        // Of those that hold the same, the one whose peer has been at rest for the longest: another may be about to take its answer.
        _found.Sort(static (one, other) => (other.Held, other.RestsFor).CompareTo((one.Held, one.RestsFor)));
        foreach ((OpenConnections part, IOpenConnection connection, long held, _) in _found)
        {
            if (bytes <= 0)
            {
                break;
            }

            if (part.TryAskToGiveBack(connection, held))
            {
                _asked.Add(connection, now);
                bytes -= held;
            }
        }

        _found.Clear();
        return _asked.Count - before;
    }

    /// <summary>It is enough: no more is asked.</summary>
    public void Forget() => _asked.Clear();

    /// <summary>
    /// What those hold that have been asked and have had no more time than they need, also those that are not in the list any more: a lane
    /// takes a connection out of it first, and gives its memory back last.
    /// </summary>
    private long BeingGivenBack(TimeSpan now)
    {
        long sum = 0;
        foreach ((IOpenConnection connection, TimeSpan at) in _asked)
        {
            long held = connection.HeldBytes;
            if (held == 0 || now - at >= _patience)
            {
                _asked.Remove(connection);
            }
            else
            {
                sum += held;
            }
        }

        return sum;
    }
}
