namespace Doorbell;

/// <summary>What a datagram handler may know of the socket that it is made for. It may be kept.</summary>
public abstract class DatagramSocketInfo
{
    /// <summary>The endpoint that is served; on a client's socket the endpoint that it is connected to.</summary>
    public abstract Endpoint Door { get; }

    /// <summary>The one peer that a client's socket is connected to; <see cref="AddressKind.None"/> on a server's socket.</summary>
    public virtual PeerAddress Peer => default;

    /// <summary>
    /// Fills <paramref name="bytes"/> with random numbers: from the system's generator on real sockets, fit for keys; from the seed in a
    /// simulation, so that a run can be repeated.
    /// </summary>
    public abstract void FillRandom(Span<byte> bytes);
}
