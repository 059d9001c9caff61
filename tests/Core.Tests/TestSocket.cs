using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Sockets for handlers that are tested without one.</summary>
internal static class TestSocket
{
    /// <summary>One whose random numbers come from a seed.</summary>
    public static DatagramSocketInfo Of(int seed) => new SimulatedSocketInfo(Endpoint.Parse("udp://127.0.0.1:5683"), new Random(seed));
}
