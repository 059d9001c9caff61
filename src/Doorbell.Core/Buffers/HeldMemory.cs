namespace Doorbell.Sessions;

/// <summary>
/// What a handler keeps for its connection beside the session's own buffers, such as a queue between two connections. What it says here
/// counts in the server's budget, and among what its connection holds when the greediest is looked for. Any thread may use it, also when
/// the connection is over: then nothing counts any more.
/// </summary>
public sealed class HeldMemory
{
    private const long IsOver = long.MinValue;

    private readonly BufferBudget? _budget;
    private long _bytes;

    internal HeldMemory(BufferBudget? budget) => _budget = budget;

    /// <summary>So much is kept.</summary>
    public long Bytes => Math.Max(0, Volatile.Read(ref _bytes));

    /// <summary>The handler keeps more, or, if negative, less.</summary>
    /// <param name="bytes">How much.</param>
    public void Add(long bytes)
    {
        long seen;
        do
        {
            seen = Volatile.Read(ref _bytes);
            if (seen == IsOver)
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _bytes, seen + bytes, seen) != seen);
        _budget?.Add(bytes);
    }

    /// <summary>The connection is over: all that was kept counts no more.</summary>
    internal void Close()
    {
        if (Interlocked.Exchange(ref _bytes, IsOver) is var kept and not IsOver)
        {
            _budget?.Add(-kept);
        }
    }
}
