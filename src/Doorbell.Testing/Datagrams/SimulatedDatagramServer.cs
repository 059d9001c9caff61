using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>A service that is served over datagrams on a <see cref="SimulatedNetwork"/>: one socket, one handler.</summary>
public sealed class SimulatedDatagramServer
{
    private readonly SimulatedNetwork _network;
    private readonly SimulatedDatagramSocket _socket;
    private readonly DatagramSession _session;

    internal SimulatedDatagramServer(SimulatedNetwork network, PeerAddress address, Service service)
    {
        Func<DatagramSocketInfo, DatagramHandler> newHandler = service.NewDatagramHandler
            ?? throw new ArgumentException($"{service.Name} does not speak in datagrams.", nameof(service));
        service.DatagramLimits.Validate();
        Endpoint door = Endpoint.From(Transport.Udp, address.ToIPEndPoint());
        Ledger = new Ledger([.. service.Counters]);
        _network = network;
        _socket = network.BindDatagram(address, Receive);
        _socket.AlarmDue = Tick;
        _session = new DatagramSession(newHandler(new SimulatedSocketInfo(door, network.Random)), service.DatagramLimits, Ledger);
    }

    /// <summary>Where its datagrams are counted.</summary>
    public Ledger Ledger { get; }

    /// <summary>What its handler threw last, if it did.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Ends it: what arrives from now on is lost. Its address may be bound again.</summary>
    public void Close() => _socket.Close();

    private DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch + _network.Now;

    private void Receive(ReadOnlySpan<byte> bytes, PeerAddress from, TimeSpan now)
    {
        _session.Received(bytes, from, now, UtcNow);
        Complete();
    }

    private void Tick()
    {
        _session.Tick(_network.Now, UtcNow);
        Complete();
    }

    private void Complete()
    {
        if (_session.Fault is { } fault)
        {
            Fault = fault;
            _session.Fault = null;
        }

        DatagramOutbox outbox = _session.Outbox;
        for (int i = 0; i < outbox.Count; i++)
        {
            (ReadOnlyMemory<byte> bytes, PeerAddress to) = outbox[i];
            _socket.Send(to, bytes.Span);
            Ledger.DatagramSent(bytes.Length);
        }

        outbox.Clear();
        if (_session.Deadline != (_socket.Alarm ?? TimeSpan.MaxValue))
        {
            _socket.Alarm = _session.Deadline;
        }
    }
}
