namespace Doorbell.Serving;

/// <summary>
/// How a worker process counts connections together with the other workers: those of one address, and those at one door. A worker has
/// one connection at once.
/// </summary>
internal abstract class SharedConnectionCounts
{
    /// <summary>Notes that this worker has a connection of <paramref name="address"/>.</summary>
    /// <param name="scope">Among which connections it is counted, as <see cref="Admission"/> has it.</param>
    /// <param name="address">As <see cref="Admission"/> counts it.</param>
    /// <param name="max">So many connections of it may the workers have together.</param>
    /// <returns>False, and nothing is noted, if that is one too many.</returns>
    public abstract bool TryAcquire(int scope, UInt128 address, int max);

    /// <summary>This worker has no connection that is counted by its address.</summary>
    public abstract void Release();

    /// <summary>Notes that this worker has, or is about to accept, a connection at a door.</summary>
    /// <param name="door">Its number.</param>
    /// <param name="max">So many may the workers have there together.</param>
    /// <returns>False, and nothing is noted, if that is one too many.</returns>
    public abstract bool TryAcquireAt(int door, int max);

    /// <summary>This worker has no connection that is counted by its door.</summary>
    public abstract void ReleaseAt();

    /// <summary>Tells the others that this worker has a connection.</summary>
    /// <param name="restingSince">For how long its peer has been at rest, on the monotonic scale, which all processes share.</param>
    public abstract void Carries(TimeSpan restingSince);

    /// <summary>Tells the others that this worker is free.</summary>
    public abstract void CarriesNone();

    /// <summary>
    /// Whether all workers have a connection, and fewer than <paramref name="waiting"/> of those have been at rest for longer than this
    /// one's.
    /// </summary>
    public abstract bool IsAmongLongestAtRest(int waiting);
}
