namespace Doorbell;

/// <summary>The echo protocol (RFC 862): what comes is sent back.</summary>
internal static class EchoHandlers
{
    internal sealed class EchoStream : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(input);
            return Step.More(input.Length);
        }
    }

    internal sealed class EchoDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            turn.Reply(datagram.Bytes);
            turn.CountRequests(1);
        }
    }
}
