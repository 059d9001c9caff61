using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// What one connection observes (RFC 7641, RFC 8323 appendix A). TCP carries the notifications, so none is confirmable, and none is sent
/// again. A change is told when what was told before has left: the present state counts, not each one in between.
/// </summary>
internal sealed class CoapStreamObservers(CoapObservationPlaces places)
{
    private readonly Dictionary<CoapToken, CoapObservation> _observations = [];
    private readonly Dictionary<CoapResource, CoapObservedResource> _resources = new(ReferenceEqualityComparer.Instance);
    private Bell? _bell;

    public int Count => _observations.Count;

    /// <summary>Bytes of the registrations that are kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>When something is to be told at the latest; null for never.</summary>
    public TimeSpan? Due
    {
        get
        {
            TimeSpan due = TimeSpan.MaxValue;
            foreach (CoapObservedResource resource in _resources.Values)
            {
                due = resource.NextChange is { } change && change < due ? change : due;
            }

            foreach (CoapObservation observation in _observations.Values)
            {
                due = observation.FreshUntil < due ? observation.FreshUntil : due;
            }

            return due == TimeSpan.MaxValue ? null : due;
        }
    }

    /// <summary>The connection's bell, which is rung at changes of what is observed.</summary>
    public void Open(Bell bell) => _bell = bell;

    /// <summary>A resource is about to be asked by one who wants to observe it: what changes from here on is to be told.</summary>
    public void Watch(CoapResource resource)
    {
        if (!_resources.ContainsKey(resource))
        {
            resource.Changes?.Add(_bell!);
            _resources.Add(resource, new CoapObservedResource(resource));
        }
    }

    /// <summary>The resource has been asked.</summary>
    public void Unwatch(CoapResource resource)
    {
        if (_resources.TryGetValue(resource, out CoapObservedResource? observed) && observed.Observations.Count == 0)
        {
            _resources.Remove(resource);

            // Several resources may have the same changes.
            if (!_resources.Keys.Any(other => ReferenceEquals(other.Changes, resource.Changes)))
            {
                resource.Changes?.Remove(_bell!);
            }
        }
    }

    /// <summary>
    /// Adds an observation of a watched resource. Without a place for it, its request is answered as one that does not observe (RFC 7641
    /// section 4.1).
    /// </summary>
    /// <returns>The sequence number of the response, or null.</returns>
    public uint? TryRegister(scoped in CoapExchangeContext exchange, CoapServedResource served)
    {
        CoapToken token = exchange.Message.Token;
        PeerAddress peer = exchange.Path.Peer;
        if (!places.TryTake(CoapPeerHost.Of(peer)))
        {
            return null;
        }

        CoapObservation observation = new(peer, token, served) { Request = exchange.Datagram.ToArray(), Path = exchange.Path };
        _observations.Add(token, observation);
        Bytes += observation.Request.Length;
        _resources[served.Resource].Add(observation, exchange.At.Now);
        observation.Told(exchange.At.Now);
        return observation.NextSequence(exchange.At.UtcNow);
    }

    /// <summary>Ends the observation of a token, if there is one.</summary>
    public void Remove(CoapToken token)
    {
        if (_observations.TryGetValue(token, out CoapObservation? observation))
        {
            Remove(observation);
        }
    }

    public void Remove(CoapObservation observation)
    {
        _observations.Remove(observation.Token);
        Bytes -= observation.Request.Length;
        places.GiveBack(CoapPeerHost.Of(observation.Peer));
        CoapResource resource = observation.Served.Resource;
        _resources[resource].Remove(observation);
        Unwatch(resource);
    }

    /// <summary>Ends all of them.</summary>
    public void Clear()
    {
        foreach (CoapObservation observation in _observations.Values)
        {
            Remove(observation);
        }

        foreach (CoapResource resource in _resources.Keys)
        {
            // One that has thrown when it was asked is still watched.
            Unwatch(resource);
        }
    }

    /// <summary>One whose peer is to be told the state; null if there is none.</summary>
    public CoapObservation? NextStale(TimeSpan now)
    {
        foreach (CoapObservedResource resource in _resources.Values)
        {
            if (resource.HasChanged(now))
            {
                resource.Observations.ForEach(static observation => observation.IsStale = true);
            }
        }

        foreach (CoapObservation observation in _observations.Values)
        {
            if (observation.IsStale || observation.FreshUntil <= now)
            {
                return observation;
            }
        }

        return null;
    }
}
