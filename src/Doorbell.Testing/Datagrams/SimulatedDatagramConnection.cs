namespace Doorbell.Testing;

/// <summary>
/// A client's datagram socket on a <see cref="SimulatedNetwork"/>, connected to one peer and carried as the engines carry one: the handler
/// gets that peer's datagrams alone, and learns when nobody is bound there.
/// </summary>
public sealed class SimulatedDatagramConnection
{
    private readonly SimulatedDatagramLane _lane;

    internal SimulatedDatagramConnection(
        SimulatedNetwork network, PeerAddress from, PeerAddress to, Func<DatagramSocketInfo, DatagramHandler> newHandler)
    {
        Endpoint endpoint = Endpoint.From(Transport.Udp, to.ToIPEndPoint());
        DatagramLimits limits = DatagramLimits.Default with { MaxAmplification = 0 };
        DatagramHandler handler = newHandler(new SimulatedSocketInfo(endpoint, to, network.Random));
        _lane = new SimulatedDatagramLane(network, from, to, handler, limits, Ledger, static () => { });
    }

    /// <summary>Where its datagrams are counted.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>What its handler threw last, if it did.</summary>
    public Exception? Fault => _lane.Fault;

    /// <summary>Whether it is closed.</summary>
    public bool IsClosed => _lane.IsClosed;

    /// <summary>Tells its handler to drain; it is closed as soon as the handler is idle (<see cref="DatagramHandler.IsIdle"/>).</summary>
    public void Drain() => _lane.Drain();

    /// <summary>Closes it.</summary>
    public void Close() => _lane.Close(CloseReason.Completed);
}
