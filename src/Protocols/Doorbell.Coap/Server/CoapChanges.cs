using System.Collections.Concurrent;

namespace Doorbell.Coap;

/// <summary>
/// Where a resource's owner says that the resource has changed, so that its observers are told (RFC 7641). One may be of several resources,
/// and of any number of sockets. Any thread may call it.
/// </summary>
public sealed class CoapChanges
{
    private readonly ConcurrentDictionary<Bell, bool> _bells = new();
    private long _count;

    /// <summary>
    /// The resource has changed. Its function is called again for each observer, soon and on the thread of its socket. Changes that follow
    /// each other faster than they can be told become one.
    /// </summary>
    public void Notify()
    {
        Interlocked.Increment(ref _count);
        foreach (Bell bell in _bells.Keys)
        {
            bell.Ring();
        }
    }

    /// <summary>How many there have been.</summary>
    internal long Count => Volatile.Read(ref _count);

    /// <summary>From now on this bell is rung at each.</summary>
    internal void Add(Bell bell) => _bells[bell] = true;

    internal void Remove(Bell bell) => _bells.TryRemove(bell, out _);
}
