namespace Doorbell;

/// <summary>The echo protocol (RFC 862): what comes is sent back.</summary>
public static class Echo
{
    /// <summary>Echo over streams and datagrams.</summary>
    public static Service Service { get; } = new Service("echo")
    {
        NewStreamHandler = static () => new EchoStream(),
        NewDatagramHandler = static () => new EchoDatagrams(),
    }.AsResource(CoapCode.Post, contentFormat: null);

    private sealed class EchoStream : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(input);
            return Step.More(input.Length);
        }
    }

    private sealed class EchoDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            turn.Reply(datagram.Bytes);
            turn.CountRequests(1);
        }
    }
}
