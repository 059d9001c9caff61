namespace Doorbell;

/// <summary>The discard protocol (RFC 863): what comes is thrown away, and nothing is answered.</summary>
internal static class DiscardHandlers
{
    internal sealed class DiscardStream : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }

    internal sealed class DiscardDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
        }
    }
}
