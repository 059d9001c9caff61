namespace Doorbell;

/// <summary>The side of a relay whose connection we have opened, or have tried to.</summary>
internal class RelayUpstreamSide(RelaySide client, RelayQueue received, RelayQueue toSend)
    : RelaySide(received, toSend)
{
    private volatile bool _hasFailed;
    private bool _isOpen;

    /// <summary>Whether it could not be connected.</summary>
    public bool HasFailed => _hasFailed;

    protected override RelaySide Other => client;

    public override Next OnOpen(Turn turn)
    {
        _isOpen = true;
        Listen(turn);
        return Advance(turn);
    }

    public override void OnClosed(CloseReason reason)
    {
        // Behind a proxy, a connection to the proxy is none to the upstream yet.
        if (reason == CloseReason.ConnectFailed || !_isOpen)
        {
            // It is no end of the relay: the client's side tries the next.
            _hasFailed = true;
            RingOther();
        }
        else
        {
            base.OnClosed(reason);
        }
    }
}
