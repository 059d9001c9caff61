using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// The separate responses that wait to be computed, sent or acknowledged. One peer gets them one after the other (NSTART, RFC 7252 section
/// 4.7), each up to five times with the interval doubled (section 4.2). A peer that has acknowledged none of five is gone, and its other
/// responses are given up with it: each would hold its place as long. Every call searches the whole list, so it is to be small.
/// </summary>
internal sealed class CoapSeparateResponses(int capacity, CoapRandom random, CoapBusyPeers busy)
{
    private const int MaxRetransmit = 4;

    /// <summary>Places that a host may have in any case.</summary>
    private const int MinPerHost = 4;
    private const double AckRandomFactor = 1.5;
    private static readonly TimeSpan _ackTimeout = TimeSpan.FromSeconds(2);

    private readonly int _perHost = Math.Max(capacity / 4, MinPerHost);
    private readonly List<CoapSeparateResponse> _all = [];

    public int Count => _all.Count;

    /// <summary>Responses given up, as nobody acknowledged them.</summary>
    public long Lost { get; private set; }

    /// <summary>When <see cref="TakeDue"/> has something to do; null for never.</summary>
    public TimeSpan? Due
    {
        get
        {
            TimeSpan? earliest = null;
            foreach (CoapSeparateResponse each in _all)
            {
                bool waits = each.Datagram is null && busy.Contains(each.Path.Peer);
                earliest = waits || earliest <= each.Due ? earliest : each.Due;
            }

            return earliest;
        }
    }

    /// <summary>
    /// Makes room for a response to a peer. A host that has its share gets no more room. For another host the peer is given up whose
    /// response was left without acknowledgement longest, once it was sent again.
    /// </summary>
    /// <returns>Whether there is room.</returns>
    public bool TryMakeRoom(PeerAddress peer)
    {
        CoapPeerHost host = CoapPeerHost.Of(peer);
        int ofHost = 0;
        CoapSeparateResponse? longest = null;
        foreach (CoapSeparateResponse each in _all)
        {
            ofHost += CoapPeerHost.Of(each.Path.Peer) == host ? 1 : 0;
            longest = each.Sent > 1 && (longest is null || each.FirstSent < longest.FirstSent) ? each : longest;
        }

        if (ofHost >= _perHost)
        {
            return false;
        }

        if (_all.Count >= capacity && longest is not null)
        {
            GiveUp(longest.Path.Peer);
        }

        return _all.Count < capacity;
    }

    public void Add(CoapSeparateResponse response) => _all.Add(response);

    /// <summary>The peer has acknowledged or reset a message of ours.</summary>
    public void Ended(PeerAddress peer, ushort messageId)
    {
        int index = _all.FindIndex(each => each.Datagram is not null && each.MessageId == messageId && each.Path.Peer == peer);
        if (index >= 0)
        {
            Remove(index);
        }
    }

    /// <summary>The next response to send now, which may have to be computed first; null for none.</summary>
    public CoapSeparateResponse? TakeDue(TimeSpan now)
    {
        for (int i = 0; i < _all.Count; i++)
        {
            CoapSeparateResponse each = _all[i];
            if (each.Due > now || (each.Datagram is null && busy.Contains(each.Path.Peer)))
            {
                continue;
            }

            if (each.Sent <= MaxRetransmit)
            {
                return each;
            }

            GiveUp(each.Path.Peer);
            i = -1;
        }

        return null;
    }

    /// <summary>A response has been computed: until it is acknowledged no other one goes to that peer.</summary>
    public void Computed(CoapSeparateResponse response)
    {
        response.Interval = _ackTimeout * (1 + (random.NextDouble() * (AckRandomFactor - 1)));
        busy.Add(response.Path.Peer);
    }

    /// <summary>A response is sent now.</summary>
    public void Sent(CoapSeparateResponse response, TimeSpan now)
    {
        if (!response.IsConfirmable)
        {
            Remove(_all.IndexOf(response));
            return;
        }

        response.FirstSent = response.Sent++ == 0 ? now : response.FirstSent;
        response.Due = now + response.Interval;
        response.Interval *= 2;
    }

    private void GiveUp(PeerAddress peer)
    {
        Lost += _all.RemoveAll(each => each.Path.Peer == peer);
        busy.Remove(peer);
    }

    private void Remove(int index)
    {
        busy.Remove(_all[index].Path.Peer);
        _all.RemoveAt(index);
    }
}
