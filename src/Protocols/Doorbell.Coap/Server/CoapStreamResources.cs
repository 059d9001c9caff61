using System.Collections.Concurrent;

namespace Doorbell.Coap.Server;

/// <summary>
/// What all connections to a service's doors share: its resources, and the places of those who observe. Any thread may use it.
/// </summary>
/// <remarks>
/// A connection needs the resources' functions only while it is called. So a door has as many sets of them as lanes call at once, and a
/// connection at rest has none.
/// </remarks>
internal sealed class CoapStreamResources(IReadOnlyDictionary<string, CoapResource> resources, CoapServerLimits limits)
{
    private readonly ConcurrentDictionary<Endpoint, ConcurrentBag<CoapStreamProcessor>> _free = new();
    private readonly ConcurrentDictionary<CoapPeerHost, int> _ofHosts = new();
    private int _observations;

    public CoapServerLimits Limits => limits;

    /// <summary>Lends a set for one call. It is to be given back.</summary>
    public CoapStreamProcessor Rent(Endpoint door) =>
        FreeOf(door).TryTake(out CoapStreamProcessor? free) ? free : new CoapStreamProcessor(resources, door);

    public void Return(CoapStreamProcessor processor) => FreeOf(processor.Door).Add(processor);

    /// <summary>Takes a place for one who observes, if there is one left in all, and one for this host.</summary>
    public bool TryTakePlace(CoapPeerHost host)
    {
        if (Interlocked.Increment(ref _observations) <= limits.MaxObservations)
        {
            if (_ofHosts.AddOrUpdate(host, 1, static (_, count) => count + 1) <= limits.MaxObservationsPerPeer)
            {
                return true;
            }

            Leave(host);
        }

        Interlocked.Decrement(ref _observations);
        return false;
    }

    public void GiveBackPlace(CoapPeerHost host)
    {
        Interlocked.Decrement(ref _observations);
        Leave(host);
    }

    private ConcurrentBag<CoapStreamProcessor> FreeOf(Endpoint door) => _free.GetOrAdd(door, static _ => []);

    private void Leave(CoapPeerHost host)
    {
        // The entry goes with its last place, unless somebody has taken one meanwhile.
        if (_ofHosts.AddOrUpdate(host, 0, static (_, count) => count - 1) == 0)
        {
            _ofHosts.TryRemove(KeyValuePair.Create(host, 0));
        }
    }
}
