namespace Doorbell.Testing;

/// <summary>Something to which events happen. An event is an entry of the queue, no object of its own.</summary>
internal interface IScheduled
{
    /// <summary>Its time has come.</summary>
    /// <param name="what">As it was scheduled with.</param>
    void Happen(int what);
}
