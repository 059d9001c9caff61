namespace Doorbell.Testing;

/// <summary>What a datagram handler may know of a socket in memory: its random numbers come from a seed.</summary>
/// <param name="door">The endpoint served, or on a client's socket the endpoint connected to.</param>
/// <param name="peer">The one peer of a client's socket; none on a server's.</param>
/// <param name="random">The source of its random numbers.</param>
public sealed class SimulatedSocketInfo(Endpoint door, PeerAddress peer, Random random) : DatagramSocketInfo
{
    /// <summary>A server's socket.</summary>
    /// <param name="door">The endpoint served.</param>
    /// <param name="random">The source of its random numbers.</param>
    public SimulatedSocketInfo(Endpoint door, Random random)
        : this(door, default, random)
    {
    }

    /// <inheritdoc/>
    public override Endpoint Door => door;

    /// <inheritdoc/>
    public override PeerAddress Peer => peer;

    /// <inheritdoc/>
    public override void FillRandom(Span<byte> bytes) => random.NextBytes(bytes);
}
