using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// Who observes which resource of a server (RFC 7641 section 4), and whom to tell what and when. A peer gets one notification after the
/// other: a change while one is under way is told behind it, or in its place when it would be sent again. Pure: what is to be computed
/// comes from <see cref="TakeDue"/>, and the caller sends it.
/// </summary>
internal sealed class CoapObservers(CoapServerLimits limits, CoapRandom random, CoapBusyPeers busy)
{
    private const int MaxRetransmit = 4;
    private const double AckRandomFactor = 1.5;

    /// <summary>The wait behind a non-confirmable notification while the round trip is unknown (RFC 7641 section 4.5.1).</summary>
    private static readonly TimeSpan _unknownRoundTrip = TimeSpan.FromSeconds(3);

    private readonly Dictionary<(PeerAddress Peer, CoapToken Token), CoapObservation> _observations = [];
    private readonly Dictionary<PeerAddress, CoapObserver> _observers = [];
    private readonly Dictionary<CoapPeerHost, int> _ofHosts = [];
    private readonly Dictionary<CoapServedResource, CoapObservedResource> _resources = new(ReferenceEqualityComparer.Instance);

    /// <summary>Those that have something to do now.</summary>
    private readonly Queue<CoapObserver> _line = new();

    /// <summary>When one of them has something to do; not known if <see cref="_isUnsure"/>.</summary>
    private TimeSpan? _due;
    private bool _isUnsure;

    public int Count => _observations.Count;

    /// <summary>Registrations for which there was no room: their requests were answered as any other.</summary>
    public long Refused { get; private set; }

    /// <summary>Observations given up, as their peer acknowledged nothing.</summary>
    public long Lost { get; private set; }

    /// <summary>When <see cref="TakeDue"/> has something to do; null for never.</summary>
    public TimeSpan? Due
    {
        get
        {
            if (_line.Count > 0)
            {
                return TimeSpan.Zero;
            }

            if (_isUnsure)
            {
                _due = null;
                foreach (CoapObserver observer in _observers.Values)
                {
                    _due = DueOf(observer) is { } due && !(_due <= due) ? due : _due;
                }

                _isUnsure = false;
            }

            TimeSpan? earliest = _due;
            foreach (CoapObservedResource resource in _resources.Values)
            {
                earliest = resource.NextChange is { } change && !(earliest <= change) ? change : earliest;
            }

            return earliest;
        }
    }

    /// <summary>Where the owners of the resources say that they have changed.</summary>
    public IEnumerable<CoapChanges> Changes => _resources.Keys.Select(static each => each.Resource.Changes).OfType<CoapChanges>();

    public void Add(CoapServedResource served) => _resources.Add(served, new CoapObservedResource(served.Resource));

    /// <summary>
    /// Adds the request's peer to the observers of a resource, or renews its observation. Without room it is not added, and its request
    /// is answered as one that does not observe (RFC 7641 section 4.1).
    /// </summary>
    /// <returns>The sequence number of the response, or null.</returns>
    public uint? TryRegister(scoped in CoapExchangeContext exchange, CoapServedResource served)
    {
        CoapToken token = exchange.Message.Token;
        PeerAddress peer = exchange.Path.Peer;
        if (!_observations.TryGetValue((peer, token), out CoapObservation? observation) || !ReferenceEquals(observation.Served, served))
        {
            Remove(peer, token);
            CoapPeerHost host = CoapPeerHost.Of(peer);
            int ofHost = _ofHosts.GetValueOrDefault(host);
            if (Count >= limits.MaxObservations || ofHost >= limits.MaxObservationsPerPeer)
            {
                Refused++;
                return null;
            }

            if (!_observers.TryGetValue(peer, out CoapObserver? observer))
            {
                observer = new CoapObserver(peer) { Due = exchange.At.Now + CoapTimes.BetweenNotifications };
                _observers.Add(peer, observer);
            }

            observation = new CoapObservation(peer, token, served);
            _observations.Add((peer, token), observation);
            _ofHosts[host] = ofHost + 1;
            observer.Observations.Add(observation);
            _resources[served].Add(observation, exchange.At.Now);
        }

        observation.Request = exchange.Datagram.ToArray();
        observation.Path = exchange.Path;
        _observers[peer].Registration = exchange.Message.MessageId;
        observation.Told(exchange.At.Now);
        _isUnsure = true;
        return observation.NextSequence(exchange.At.UtcNow);
    }

    /// <summary>Ends an observation, if there is one.</summary>
    public void Remove(PeerAddress peer, CoapToken token)
    {
        if (_observations.TryGetValue((peer, token), out CoapObservation? observation))
        {
            Remove(observation);
            Forget(_observers[peer]);
        }
    }

    /// <summary>Ends an observation, whose last notification may still be under way.</summary>
    public void Remove(CoapObservation observation)
    {
        CoapPeerHost host = CoapPeerHost.Of(observation.Peer);
        observation.IsOver = true;
        _observations.Remove((observation.Peer, observation.Token));
        _observers[observation.Peer].Observations.Remove(observation);
        _resources[observation.Served].Remove(observation);
        if (--_ofHosts[host] == 0)
        {
            _ofHosts.Remove(host);
        }

        _isUnsure = true;
    }

    /// <summary>The peer has acknowledged a message of ours, or has reset it: it observes no more (RFC 7641 section 3.6).</summary>
    public void Ended(PeerAddress peer, ushort messageId, bool isReset, TimeSpan now)
    {
        _isUnsure = true;
        if (!_observers.TryGetValue(peer, out CoapObserver? observer) || observer.Last is null || observer.MessageId != messageId)
        {
            return;
        }

        if (isReset && !observer.Last.IsOver)
        {
            Remove(observer.Last);
        }

        if (observer.IsUnderWay && (observer.IsConfirmable || isReset))
        {
            if (!isReset)
            {
                observer.RoundTrips.Measured(now - observer.FirstSent, observer.SendsOfThis, now);
            }

            Done(observer, observer.FirstSent + CoapTimes.BetweenNotifications);
        }

        Forget(observer);
    }

    /// <summary>
    /// A message of the server's own to some peer has begun or ended: who may be told something now, and when, is to be looked at again.
    /// </summary>
    public void LookAgain() => _isUnsure = _observers.Count > 0;

    /// <summary>Looks at which resources have changed.</summary>
    public void Look(TimeSpan now)
    {
        foreach (CoapObservedResource resource in _resources.Values)
        {
            if (resource.HasChanged(now))
            {
                resource.Observations.ForEach(MarkStale);
            }
        }
    }

    /// <summary>A peer that is to be sent something now; null for none. The caller computes it, and tells <see cref="Sent"/>.</summary>
    public CoapObserver? TakeDue(TimeSpan now)
    {
        Look(now);
        if (_line.Count == 0 && Due <= now)
        {
            FillLine(now);
        }

        while (_line.TryDequeue(out CoapObserver? observer))
        {
            observer.IsInLine = false;
            _isUnsure = true;
            if (DueOf(observer) <= now && TryPrepare(observer, now))
            {
                return observer;
            }
        }

        return null;
    }

    /// <summary>What <see cref="TakeDue"/> gave is sent now.</summary>
    public void Sent(CoapObserver observer, TimeSpan now)
    {
        bool isNew = observer.Next is not null;
        bool isChain = observer.IsUnderWay;
        if (isNew)
        {
            (observer.FirstSent, observer.SendsOfThis) = (now, 0);
        }

        if (!isChain)
        {
            observer.Sends = 0;
            observer.Interval = CoapObserver.AckTimeout * (1 + (random.NextDouble() * (AckRandomFactor - 1)));
        }

        observer.Sends++;
        observer.SendsOfThis++;
        observer.IsUnderWay = true;
        busy.Add(observer.Peer);
        if (observer.IsConfirmable)
        {
            observer.Due = now + observer.Interval;
            observer.Interval *= 2;
        }
        else
        {
            TimeSpan roundTrip = observer.RoundTrips.RoundTrip;
            observer.Due = now + (roundTrip == TimeSpan.Zero ? _unknownRoundTrip
                : roundTrip < CoapTimes.BetweenNotifications ? CoapTimes.BetweenNotifications : roundTrip);
        }

        observer.Next = null;
        _isUnsure = true;
    }

    private void MarkStale(CoapObservation observation)
    {
        if (!observation.IsStale)
        {
            observation.IsStale = true;
            _observers[observation.Peer].Waiting.Enqueue(observation);
            _isUnsure = true;
        }
    }

    private TimeSpan? DueOf(CoapObserver observer)
    {
        if (observer.IsUnderWay)
        {
            return observer.Due;
        }

        if (busy.Contains(observer.Peer))
        {
            return null;
        }

        if (observer.Waiting.Count > 0)
        {
            return observer.Due;
        }

        TimeSpan? earliest = null;
        foreach (CoapObservation observation in observer.Observations)
        {
            earliest = earliest <= observation.FreshUntil ? earliest : observation.FreshUntil;
        }

        return earliest == TimeSpan.MaxValue ? null : earliest;
    }

    /// <summary>All that have something to do stand in line. What is no longer fresh is told again.</summary>
    private void FillLine(TimeSpan now)
    {
        foreach (CoapObserver observer in _observers.Values)
        {
            foreach (CoapObservation observation in observer.Observations)
            {
                if (observation.FreshUntil <= now)
                {
                    MarkStale(observation);
                }
            }

            if (DueOf(observer) <= now && !observer.IsInLine)
            {
                observer.IsInLine = true;
                _line.Enqueue(observer);
            }
        }
    }

    private bool TryPrepare(CoapObserver observer, TimeSpan now)
    {
        observer.Next = null;
        if (observer.IsUnderWay && observer.IsConfirmable)
        {
            if (observer.Sends > MaxRetransmit)
            {
                GiveUp(observer);
                return false;
            }

            // A newer state takes the place of the one under way, and goes on with its waits (RFC 7641 section 4.5.2).
            observer.Next = observer.Last is { IsStale: true, IsOver: false } ? observer.Last : null;
            return true;
        }

        if (observer.IsUnderWay)
        {
            Done(observer, now);
        }

        while (observer.Next is null && observer.Waiting.TryDequeue(out CoapObservation? observation))
        {
            observer.Next = observation is { IsStale: true, IsOver: false } ? observation : null;
        }

        if (observer.Next is null)
        {
            Forget(observer);
        }

        return observer.Next is not null;
    }

    private void Done(CoapObserver observer, TimeSpan next)
    {
        observer.IsUnderWay = false;
        observer.Due = next;
        busy.Remove(observer.Peer);
    }

    /// <summary>A peer that has acknowledged none of five is gone, and all of its observations with it.</summary>
    private void GiveUp(CoapObserver observer)
    {
        Lost += observer.Observations.Count;
        while (observer.Observations.Count > 0)
        {
            Remove(observer.Observations[^1]);
        }

        Done(observer, observer.Due);
        Forget(observer);
    }

    /// <summary>Forgets a peer that observes nothing any more, once nothing is under way to it that it has to acknowledge.</summary>
    private void Forget(CoapObserver observer)
    {
        bool isWaitedFor = observer.IsUnderWay && observer.IsConfirmable && observer.Next is null && observer.Last is { IsError: true };
        if (observer.Observations.Count == 0 && !isWaitedFor)
        {
            if (observer.IsUnderWay)
            {
                Done(observer, observer.Due);
            }

            _observers.Remove(observer.Peer);
        }
    }
}
