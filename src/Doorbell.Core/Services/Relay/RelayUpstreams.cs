namespace Doorbell;

/// <summary>
/// The upstreams of a relay, and which of them could not be connected lately, so that not every new connection waits for one that is
/// down. Any thread may call any member.
/// </summary>
/// <param name="endpoints">In the order in which they are tried.</param>
internal sealed class RelayUpstreams(IReadOnlyList<Endpoint> endpoints)
{
    /// <summary>So long an upstream that has failed is tried behind the others: 5 seconds.</summary>
    private static readonly TimeSpan _remembered = TimeSpan.FromSeconds(5);

    /// <summary>Until when, in ticks, each comes behind the others; 0 for one that has not failed.</summary>
    private readonly long[] _lastUntil = new long[endpoints.Count];

    public int Count => endpoints.Count;

    public Endpoint this[int at] => endpoints[at];

    /// <summary>An upstream could not be connected.</summary>
    public void Failed(int at, TimeSpan now) => Volatile.Write(ref _lastUntil[at], (now + _remembered).Ticks);

    /// <summary>The next to try: the first that has not failed lately, or else the first.</summary>
    /// <param name="tried">Those tried already; at least one is not.</param>
    /// <param name="now">The time.</param>
    public int Next(ReadOnlySpan<bool> tried, TimeSpan now)
    {
        for (int i = 0; i < tried.Length; i++)
        {
            if (!tried[i] && Volatile.Read(ref _lastUntil[i]) <= now.Ticks)
            {
                return i;
            }
        }

        return tried.IndexOf(false);
    }
}
