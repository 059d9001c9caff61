namespace Doorbell.Lanes.Loops;

/// <summary>The connections of an event loop by their tokens, which are used again.</summary>
internal sealed class LoopTable<TConnection>
    where TConnection : SocketConnection
{
    private readonly Stack<int> _free = new();
    private LoopConnection<TConnection>?[] _connections = new LoopConnection<TConnection>?[64];
    private int _end;

    public int Count { get; private set; }

    /// <summary>Null for a token that is free: an event of a connection that was closed a moment ago.</summary>
    public LoopConnection<TConnection>? this[int token] => _connections[token];

    public void Add(LoopConnection<TConnection> connection)
    {
        if (!_free.TryPop(out int token))
        {
            token = _end++;
            if (token == _connections.Length)
            {
                Array.Resize(ref _connections, _connections.Length * 2);
            }
        }

        connection.Token = token;
        _connections[token] = connection;
        Count++;
    }

    public void Remove(LoopConnection<TConnection> connection)
    {
        _connections[connection.Token] = null;
        _free.Push(connection.Token);
        Count--;
    }

    public LoopConnection<TConnection>[] ToArray() => [.. _connections.OfType<LoopConnection<TConnection>>()];
}
