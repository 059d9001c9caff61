namespace Doorbell.Testing;

/// <summary>A service that is served over datagrams on a <see cref="SimulatedNetwork"/>: one socket, one handler.</summary>
public sealed class SimulatedDatagramServer
{
    private readonly SimulatedDatagramLane _lane;

    internal SimulatedDatagramServer(SimulatedNetwork network, PeerAddress address, Service service)
    {
        Func<DatagramSocketInfo, DatagramHandler> newHandler = service.NewDatagramHandler
            ?? throw new ArgumentException($"{service.Name} does not speak in datagrams.", nameof(service));
        service.DatagramLimits.Validate();
        Endpoint door = Endpoint.From(Transport.Udp, address.ToIPEndPoint());
        Ledger = new Ledger([.. service.Counters]);
        DatagramHandler handler = newHandler(new SimulatedSocketInfo(door, network.Random));
        _lane = new SimulatedDatagramLane(network, address, default, handler, service.DatagramLimits, Ledger, ended: null);
    }

    /// <summary>Where its datagrams are counted.</summary>
    public Ledger Ledger { get; }

    /// <summary>What its handler threw last, if it did.</summary>
    public Exception? Fault => _lane.Fault;

    /// <summary>Whether it has ended: it was closed, or it drained and became idle.</summary>
    public bool IsClosed => _lane.IsClosed;

    /// <summary>Tells its handler to drain; it ends as soon as the handler is idle (<see cref="DatagramHandler.IsIdle"/>).</summary>
    public void Drain() => _lane.Drain();

    /// <summary>Ends it, as a drain's deadline does: what arrives from now on is lost. Its address may be bound again.</summary>
    public void Close() => _lane.Close(CloseReason.DrainDeadline);
}
