using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// How much of a body fits one message to a peer at the other end of a stream. The default value is that of datagrams, whose blocks the
/// server's limits alone bound.
/// </summary>
internal readonly record struct CoapStreamRoom
{
    /// <summary>
    /// What the peer's Max-Message-Size leaves for a body, beside the header, the token and our options.
    /// </summary>
    /// <param name="maxMessageBytes">The peer's Max-Message-Size.</param>
    /// <param name="takesBert">Whether the peer takes several blocks in one message.</param>
    public CoapStreamRoom(int maxMessageBytes, bool takesBert)
    {
        WholeBytes = Math.Max(maxMessageBytes - CoapServerLimits.OverheadBytes, CoapBlock.MinSize);
        int exponent = CoapBlock.MaxSizeExponent;
        while (exponent > 0 && CoapBlock.MinSize << exponent > WholeBytes)
        {
            exponent--;
        }

        MaxExponent = takesBert && exponent == CoapBlock.MaxSizeExponent ? CoapBlock.BertExponent : exponent;
    }

    /// <summary>Most bytes of a body that needs no blocks; 0 over datagrams.</summary>
    public int WholeBytes { get; }

    /// <summary>The exponent of the largest blocks; null over datagrams.</summary>
    public int? MaxExponent { get; }

    /// <summary>Bytes of a message's payload that has blocks of this exponent.</summary>
    public int SizeOf(int exponent)
    {
        int block = CoapBlock.MinSize << Math.Min(exponent, CoapBlock.MaxSizeExponent);
        return exponent == CoapBlock.BertExponent ? Math.Max(WholeBytes / block, 1) * block : block;
    }
}
