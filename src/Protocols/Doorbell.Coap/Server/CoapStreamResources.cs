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

    public CoapServerLimits Limits => limits;

    public CoapObservationPlaces Places { get; } = new(limits);

    /// <summary>Lends a set for one call. It is to be given back.</summary>
    public CoapStreamProcessor Rent(Endpoint door) =>
        FreeOf(door).TryTake(out CoapStreamProcessor? free) ? free : new CoapStreamProcessor(resources, door);

    public void Return(CoapStreamProcessor processor) => FreeOf(processor.Door).Add(processor);

    private ConcurrentBag<CoapStreamProcessor> FreeOf(Endpoint door) => _free.GetOrAdd(door, static _ => []);
}
