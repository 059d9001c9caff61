using System.Security.Cryptography;

namespace Doorbell.Serving;

/// <summary>What a datagram handler may know of a real socket.</summary>
internal sealed class DoorSocketInfo(Endpoint door) : DatagramSocketInfo
{
    public override Endpoint Door => door;

    public override void FillRandom(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
