namespace Doorbell;

/// <summary>The side of a relay whose connection was accepted: it opens the other one, at one upstream after the other.</summary>
internal sealed class RelayClientSide : RelaySide
{
    private readonly ConnectOptions _connecting;
    private readonly RelayUpstreams _upstreams;
    private readonly int? _proxyVersion;
    private readonly RelayQueue _up;
    private readonly RelayQueue _down;
    private readonly bool[] _tried;
    private int _at;
    private RelayUpstreamSide? _upstream;
    private OutgoingConnection? _outgoing;

    public RelayClientSide(RelayUpstreams upstreams, RelayOptions options, ConnectOptions connecting)
        : this(upstreams, options.ProxyVersion, connecting, new RelayQueue(options.BufferBytes), new RelayQueue(options.BufferBytes))
    {
    }

    private RelayClientSide(RelayUpstreams upstreams, int? proxyVersion, ConnectOptions connecting, RelayQueue up, RelayQueue down)
        : base(up, down)
    {
        (_upstreams, _proxyVersion, _connecting, _up, _down) = (upstreams, proxyVersion, connecting, up, down);
        _tried = new bool[upstreams.Count];
    }

    protected override RelaySide? Other => _upstream;

    public override Next OnOpen(Turn turn)
    {
        Listen(turn);
        _up.Memory = _down.Memory = turn.HeldMemory;
        Connect(turn);
        return Next.Stay;
    }

    public override void OnClosed(CloseReason reason)
    {
        base.OnClosed(reason);
        _outgoing?.Cancel();
    }

    protected override Next Advance(Turn turn)
    {
        if (_upstream!.HasFailed)
        {
            _upstreams.Failed(_at, turn.Now);
            if (!_tried.Contains(false))
            {
                return Next.Abort;
            }

            Connect(turn);
        }

        return base.Advance(turn);
    }

    /// <summary>
    /// Behind another proxy the client is the one that it named, and so is the address that this client asked; our own address would be
    /// another connection's, and perhaps of another family.
    /// </summary>
    private static ProxyHeader HeaderOf(int version, Turn turn) =>
        turn.Connection.Get<ProxyHeader>() is { IsLocal: false } before
            ? ProxyHeader.Of(version, before.Source, before.Destination)
            : ProxyHeader.Of(version, turn.Peer, turn.Connection.Local);

    private void Connect(Turn turn)
    {
        ProxyHeader? header = _proxyVersion is { } version ? HeaderOf(version, turn) : null;
        _upstream = new RelayUpstreamSide(this, header, _down, _up);
        _at = _upstreams.Next(_tried, turn.Now);
        _tried[_at] = true;
        _outgoing = turn.Connect(_upstreams[_at], _upstream, _connecting);
    }
}
