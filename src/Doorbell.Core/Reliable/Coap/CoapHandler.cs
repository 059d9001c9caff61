namespace Doorbell;

/// <summary>
/// A CoAP server (RFC 7252) on a datagram socket: <c>new Service("coap") { NewDatagramHandler = () => new CoapHandler(server) }</c>.
/// What a resource throws is counted and logged as any handler's fault; a duplicate of the request is answered 5.00.
/// </summary>
/// <param name="server">This socket's alone.</param>
public sealed class CoapHandler(CoapServer server) : DatagramHandler
{
    /// <summary>How often the exchanges that are over are looked for while nobody sends.</summary>
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override void OnDatagram(Datagram datagram, DatagramTurn turn)
    {
        ReadOnlySpan<byte> answer = server.Received(datagram.Bytes, datagram.From, turn.Now);
        if (!answer.IsEmpty)
        {
            turn.Reply(answer);
            turn.CountRequests(1);
        }

        Forget(turn);
    }

    /// <inheritdoc/>
    public override void OnAlarm(DatagramTurn turn)
    {
        server.Tick(turn.Now);
        Forget(turn);
    }

    private void Forget(DatagramTurn turn)
    {
        if (server.Exchanges > 0 && turn.Alarm is null)
        {
            turn.Alarm = turn.Now + _tick;
        }
    }
}
