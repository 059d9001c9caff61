namespace Doorbell.Coap;

/// <summary>
/// The separate answers that wait to be computed, sent or acknowledged: to one peer one after the other (NSTART, RFC 7252 section 4.7),
/// each sent up to five times with the interval doubled (section 4.2). Who has acknowledged none of five is gone, and so are his others:
/// each in its turn would hold its place as long. It is searched through, so it is to be small.
/// </summary>
internal sealed class CoapSeparateResponses(int capacity, Random random)
{
    private const int MaxRetransmit = 4;
    private const double AckRandomFactor = 1.5;
    private static readonly TimeSpan _ackTimeout = TimeSpan.FromSeconds(2);

    private readonly List<CoapSeparateResponse> _all = [];
    private readonly HashSet<PeerAddress> _busy = [];

    public int Count => _all.Count;

    public bool IsFull => _all.Count >= capacity;

    /// <summary>Given up unacknowledged.</summary>
    public long Lost { get; private set; }

    /// <summary>When <see cref="TakeDue"/> has something to do; null for never.</summary>
    public TimeSpan? Due
    {
        get
        {
            TimeSpan? earliest = null;
            foreach (CoapSeparateResponse each in _all)
            {
                bool waits = each.Answer is null && _busy.Contains(each.Path.Peer);
                earliest = waits || earliest <= each.Due ? earliest : each.Due;
            }

            return earliest;
        }
    }

    public void Add(CoapSeparateResponse answer) => _all.Add(answer);

    /// <summary>The peer has acknowledged or reset a message of ours.</summary>
    public void Ended(PeerAddress peer, ushort messageId)
    {
        int index = _all.FindIndex(each => each.Answer is not null && each.MessageId == messageId && each.Path.Peer == peer);
        if (index >= 0)
        {
            Remove(index);
        }
    }

    /// <summary>The next that is to be sent now, computed before if it is not yet; null for none.</summary>
    public CoapSeparateResponse? TakeDue(TimeSpan now)
    {
        for (int i = 0; i < _all.Count; i++)
        {
            CoapSeparateResponse each = _all[i];
            if (each.Due > now || (each.Answer is null && _busy.Contains(each.Path.Peer)))
            {
                continue;
            }

            if (each.Sent <= MaxRetransmit)
            {
                return each;
            }

            Lost += _all.RemoveAll(other => other.Path.Peer == each.Path.Peer);
            _busy.Remove(each.Path.Peer);
            i = -1;
        }

        return null;
    }

    /// <summary>It is computed: from here on no other goes to that peer until it is acknowledged.</summary>
    public void Computed(CoapSeparateResponse answer)
    {
        answer.Interval = _ackTimeout * (1 + (random.NextDouble() * (AckRandomFactor - 1)));
        _busy.Add(answer.Path.Peer);
    }

    /// <summary>It is sent now.</summary>
    public void Sent(CoapSeparateResponse answer, TimeSpan now)
    {
        if (!answer.IsConfirmable)
        {
            Remove(_all.IndexOf(answer));
            return;
        }

        answer.Sent++;
        answer.Due = now + answer.Interval;
        answer.Interval *= 2;
    }

    private void Remove(int index)
    {
        _busy.Remove(_all[index].Path.Peer);
        _all.RemoveAt(index);
    }
}
