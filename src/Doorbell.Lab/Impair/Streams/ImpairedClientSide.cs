namespace Doorbell.Lab.Impair.Streams;

/// <summary>The side of a client, which opens the other one.</summary>
/// <param name="connection">What both sides share.</param>
/// <param name="upstream">Where the other side connects to.</param>
/// <param name="connecting">How it connects.</param>
/// <param name="table">Where the connection is counted.</param>
internal sealed class ImpairedClientSide(
    ImpairedConnection connection, Endpoint upstream, ConnectOptions connecting, ConnectionTable table)
    : ImpairedSide(connection, connection.Up, connection.Down, table.Remove)
{
    private ImpairedUpstreamSide? _upstream;
    private OutgoingConnection? _outgoing;

    protected override ImpairedSide? Other => _upstream;

    public override Next OnOpen(Turn turn)
    {
        Next next = base.OnOpen(turn);
        table.Add(Connection);
        _upstream = new ImpairedUpstreamSide(this, Connection, table.Remove);
        _outgoing = turn.Connect(upstream, _upstream, connecting);
        return next;
    }

    public override void OnClosed(CloseReason reason)
    {
        base.OnClosed(reason);
        _outgoing?.Cancel();
    }

    /// <summary>A client for whom there is no upstream is reset, which is what it would hear without a proxy.</summary>
    protected override Next Advance(Turn turn)
    {
        if (_outgoing?.Failure is not null)
        {
            Connection.EndBy(StreamEnd.Refused);
        }

        return base.Advance(turn);
    }
}
