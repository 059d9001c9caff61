namespace Doorbell.Testing;

/// <summary>What a datagram handler may know of a socket in memory: its random numbers come from a seed.</summary>
/// <param name="door">Where it is.</param>
/// <param name="random">Where its random numbers come from.</param>
public sealed class SimulatedSocketInfo(Endpoint door, Random random) : DatagramSocketInfo
{
    /// <inheritdoc/>
    public override Endpoint Door => door;

    /// <inheritdoc/>
    public override void FillRandom(Span<byte> bytes) => random.NextBytes(bytes);
}
