namespace Doorbell.Coap.Server;

/// <summary>What a datagram service may know of its socket when it is asked over a stream, and so has none.</summary>
internal sealed class CoapStreamSocketInfo(Endpoint door) : DatagramSocketInfo
{
    public override Endpoint Door => door;

    /// <exception cref="NotSupportedException">Always: what is asked over a stream has no socket of its own to draw from.</exception>
    public override void FillRandom(Span<byte> bytes) => throw new NotSupportedException(
        "A resource that is asked over a stream has no datagram socket, and so no random numbers of one.");
}
