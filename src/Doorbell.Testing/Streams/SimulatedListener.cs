namespace Doorbell.Testing;

/// <summary>A service that is served on a <see cref="SimulatedNetwork"/>.</summary>
public sealed class SimulatedListener
{
    private readonly SimulatedNetwork _network;
    private readonly Service _service;
    private readonly Func<StreamHandler> _newHandler;
    private readonly CountingPool _pool = new();

    internal SimulatedListener(SimulatedNetwork network, Service service)
    {
        _network = network;
        _service = service;
        _newHandler = service.NewStreamHandler ?? throw new ArgumentException($"{service.Name} does not speak over streams.");
    }

    /// <summary>Where its connections are counted.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>Bytes its sessions hold in rented memory; 0 when all are idle or ended.</summary>
    public long RentedBytes => _pool.RentedBytes;

    internal void Accept(PeerAddress from, StreamEnd end) =>
        new SimulatedConnection(_network, new SessionSetting(_newHandler(), _service.StreamLimits, Ledger, _pool), from, end).Open();
}
