using Doorbell.Sessions;

namespace Doorbell;

/// <summary>The side of a relay whose connection was accepted: it opens the other one, at one upstream after the other.</summary>
internal sealed class RelayClientSide : RelaySide
{
    private readonly ConnectOptions _connecting;
    private readonly RelayUpstreams _upstreams;
    private readonly RelayOptions _options;
    private readonly RelayQueue _up;
    private readonly RelayQueue _down;
    private readonly bool[] _tried;
    private int _at;
    private RelayUpstreamSide? _upstream;
    private OutgoingConnection? _outgoing;

    public RelayClientSide(RelayUpstreams upstreams, RelayOptions options, ConnectOptions connecting)
        : this(upstreams, options, connecting, new RelayQueue(options.BufferBytes), new RelayQueue(options.BufferBytes))
    {
    }

    private RelayClientSide(RelayUpstreams upstreams, RelayOptions options, ConnectOptions connecting, RelayQueue up, RelayQueue down)
        : base(up, down)
    {
        (_upstreams, _options, _connecting, _up, _down) = (upstreams, options, connecting, up, down);
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
        _upstream = new RelayUpstreamSide(this, _down, _up);
        _at = _upstreams.Next(_tried, turn.Now);
        _tried[_at] = true;
        IReadOnlyList<Func<ConnectionInfo, StreamLayer>> layers = _options.Layers(_upstreams[_at]);
        if (_options.ProxyVersion is { } version)
        {
            // In front of TLS, as those who take it expect it.
            layers = [ProxyProtocol.Send(HeaderOf(version, turn)), .. layers];
        }

        _outgoing = turn.Connect(_upstreams[_at], _upstream, layers.Count == 0 ? _connecting : _connecting with { Layers = layers });
    }
}
