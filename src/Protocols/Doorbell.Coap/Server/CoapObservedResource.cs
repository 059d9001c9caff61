namespace Doorbell.Coap.Server;

/// <summary>A resource that can be observed, with those who observe it at one server.</summary>
internal sealed class CoapObservedResource(CoapResource resource)
{
    /// <summary>Changes that the observers have been told of, or need not be.</summary>
    private long _known = resource.Changes?.Count ?? 0;

    public CoapResource Resource => resource;

    public List<CoapObservation> Observations { get; } = [];

    /// <summary>When it changes by itself; null for never.</summary>
    public TimeSpan? NextChange { get; private set; }

    /// <summary>Somebody observes it from now on.</summary>
    public void Add(CoapObservation observation, TimeSpan now)
    {
        Observations.Add(observation);
        NextChange ??= now + resource.ChangesEvery;
    }

    public void Remove(CoapObservation observation)
    {
        Observations.Remove(observation);
        NextChange = Observations.Count == 0 ? null : NextChange;
    }

    /// <summary>Whether it has changed since the last call.</summary>
    public bool HasChanged(TimeSpan now)
    {
        bool hasChanged = false;
        if (NextChange <= now)
        {
            // Moments that nobody was there to see are no changes to tell.
            NextChange = now + resource.ChangesEvery;
            hasChanged = true;
        }

        if (resource.Changes?.Count is { } count && count != _known)
        {
            _known = count;
            hasChanged = true;
        }

        return hasChanged;
    }
}
