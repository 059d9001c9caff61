namespace Doorbell;

/// <summary>The side of a tunnel that leads to the target.</summary>
internal sealed class TunnelUpstreamSide(RelaySide client, RelayQueue received, RelayQueue toSend)
    : RelayUpstreamSide(client, received, toSend)
{
    private volatile bool _isOpen;

    /// <summary>Whether it is connected.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Our own address there, once it is open.</summary>
    public PeerAddress Local { get; private set; }

    public override Next OnOpen(Turn turn)
    {
        Next next = base.OnOpen(turn);
        Local = turn.Connection.Local;
        _isOpen = true;
        RingOther();
        return next;
    }
}
