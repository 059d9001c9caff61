namespace Doorbell;

/// <summary>The discard protocol (RFC 863): what comes is thrown away, and nothing is answered.</summary>
public static class Discard
{
    /// <summary>Discard over streams and datagrams.</summary>
    public static Service Service { get; } = new Service("discard")
    {
        NewStreamHandler = static () => new DiscardStream(),
        NewDatagramHandler = static () => new DiscardDatagrams(),
    }.AsResource(CoapCode.Post, contentFormat: null);

    private sealed class DiscardStream : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }

    private sealed class DiscardDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
        }
    }
}
