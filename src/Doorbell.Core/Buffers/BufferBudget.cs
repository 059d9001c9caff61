namespace Doorbell.Sessions;

/// <summary>
/// How much memory all connections of a server may hold together: for output that their peers have not taken, and for input that their
/// handlers have not consumed. It counts, and says when it is exceeded; who then gives memory back is its owner's choice. Any thread may
/// use it.
/// </summary>
public sealed class BufferBudget
{
    private readonly Action _exceeded;
    private long _held;

    /// <summary>A budget of which nothing is held.</summary>
    /// <param name="maxBytes">So much may be held.</param>
    /// <param name="exceeded">
    /// Called when more is held, on the thread that has just taken some, and again with each further take. It may be a handler's turn.
    /// </param>
    public BufferBudget(long maxBytes, Action exceeded)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        ArgumentNullException.ThrowIfNull(exceeded);
        MaxBytes = maxBytes;
        _exceeded = exceeded;
    }

    /// <summary>So much may be held.</summary>
    public long MaxBytes { get; }

    /// <summary>So much is held.</summary>
    public long HeldBytes => Volatile.Read(ref _held);

    /// <summary>Memory was taken, or, if negative, given back.</summary>
    /// <param name="bytes">How much.</param>
    public void Add(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) > MaxBytes && bytes > 0)
        {
            _exceeded();
        }
    }
}
