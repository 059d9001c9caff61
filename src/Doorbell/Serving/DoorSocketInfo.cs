using System.Security.Cryptography;

namespace Doorbell.Serving;

/// <summary>What a datagram handler may know of a real socket.</summary>
/// <param name="door">The endpoint served, or on a client's socket the endpoint connected to.</param>
/// <param name="peer">The one peer of a client's socket; none on a server's.</param>
internal sealed class DoorSocketInfo(Endpoint door, PeerAddress peer) : DatagramSocketInfo
{
    public override Endpoint Door => door;

    public override PeerAddress Peer => peer;

    public override void FillRandom(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
