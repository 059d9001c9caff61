namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// One connection through the proxy: what its two sides share, which are a client's connection and one to the upstream. The sides may be on
/// two threads, so whoever uses the directions holds <see cref="Lock"/>.
/// </summary>
internal sealed class ImpairedConnection(StreamDirection up, StreamDirection down)
{
    private readonly Bell?[] _bells = new Bell?[2];
    private int _sidesClosed;

    public Lock Lock { get; } = new();

    /// <summary>From the client to the upstream.</summary>
    public StreamDirection Up { get; } = up;

    public StreamDirection Down { get; } = down;

    /// <summary>Why both sides are to be reset; null if they are not.</summary>
    public StreamEnd? End { get; private set; }

    /// <summary>When bytes moved last.</summary>
    public TimeSpan LastMoved { get; set; }

    /// <summary>A side listens from here on.</summary>
    public void Listen(Bell bell) => _bells[_bells[0] is null ? 0 : 1] = bell;

    /// <summary>Both sides are to look what is new. Any thread may call it.</summary>
    public void Ring()
    {
        foreach (Bell? bell in _bells)
        {
            bell?.Ring();
        }
    }

    /// <summary>Both sides are to be reset; the first reason stays.</summary>
    public void EndBy(StreamEnd end)
    {
        lock (Lock)
        {
            End ??= end;
        }

        Ring();
    }

    /// <summary>A side is closed. Its caller holds the lock.</summary>
    /// <returns>Whether the connection is over with it.</returns>
    public bool SideClosed()
    {
        _sidesClosed++;
        if (_sidesClosed < _bells.Length)
        {
            return false;
        }

        Up.Clear();
        Down.Clear();
        return true;
    }
}
