namespace Doorbell.Serving;

/// <summary>
/// How a worker process counts the connections of one address together with the other workers. A worker has one connection at once.
/// </summary>
internal abstract class SharedAddressCount
{
    /// <summary>Notes that this worker has a connection of <paramref name="address"/>.</summary>
    /// <param name="address">As <see cref="Admission"/> counts it.</param>
    /// <param name="max">So many connections of it may the workers have together.</param>
    /// <returns>False, and nothing is noted, if that is one too many.</returns>
    public abstract bool TryAcquire(UInt128 address, int max);

    /// <summary>This worker has none.</summary>
    public abstract void Release();
}
