namespace Doorbell.Lab.Impair.Proxies;

/// <summary>What passed one direction so far.</summary>
/// <param name="Name"><c>up</c> or <c>down</c>.</param>
/// <param name="Received">What came.</param>
/// <param name="Forwarded">What was sent on; copies are among it.</param>
/// <param name="Drops">What was not, by cause.</param>
/// <param name="Others">What else became of it.</param>
public sealed record WayReading(
    string Name, long Received, long Forwarded, IReadOnlyList<(string Name, long Count)> Drops,
    IReadOnlyList<(string Name, long Count)> Others)
{
    /// <summary>What was not sent on, of all causes together.</summary>
    public long Dropped => Drops.Sum(static drop => drop.Count);
}
