using System.Collections.Concurrent;

namespace Doorbell.Coap.Server;

/// <summary>How many observe over streams, in all and from each host. Any thread may use it.</summary>
internal sealed class CoapObservationPlaces(CoapServerLimits limits)
{
    private readonly ConcurrentDictionary<CoapPeerHost, int> _ofHosts = new();
    private int _observations;

    /// <summary>Takes a place for one who observes, if there is one left in all, and one for this host.</summary>
    public bool TryTake(CoapPeerHost host)
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

    public void GiveBack(CoapPeerHost host)
    {
        Interlocked.Decrement(ref _observations);
        Leave(host);
    }

    private void Leave(CoapPeerHost host)
    {
        // The entry goes with its last place, unless somebody has taken one meanwhile.
        if (_ofHosts.AddOrUpdate(host, 0, static (_, count) => count - 1) == 0)
        {
            _ofHosts.TryRemove(KeyValuePair.Create(host, 0));
        }
    }
}
