using System.Buffers.Binary;

namespace Doorbell.Coap.Codec;

/// <summary>Random numbers of a socket: not to be guessed on a real one, repeatable in a simulation.</summary>
internal sealed class CoapRandom(DatagramSocketInfo socket)
{
    public uint NextUInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        socket.FillRandom(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    /// <summary>At least 0 and less than 1.</summary>
    public double NextDouble() => NextUInt32() / (uint.MaxValue + 1.0);
}
