using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>
/// Carries one datagram session over a simulated socket, as a lane of the engines does, and the further sockets that its handler asks for.
/// </summary>
internal sealed class SimulatedDatagramLane
{
    /// <summary>Where the ports begin that nobody has asked for by number (RFC 6335 section 6).</summary>
    private const ushort FirstFreePort = 49_152;

    private readonly SimulatedNetwork _network;
    private readonly DatagramLimits _limits;
    private readonly Ledger _ledger;
    private readonly SimulatedDatagramSocket _socket;
    private readonly DatagramSession _session;
    private readonly LaneBell _bell;
    private readonly Action _onRing;
    private readonly PeerAddress _peer;
    private readonly Action _ended;
    private readonly List<SimulatedDatagramLane> _opened = [];
    private bool _isDraining;
    private bool _isClosed;

    /// <param name="network">The network.</param>
    /// <param name="local">The address to bind to.</param>
    /// <param name="peer">The one peer of a connected socket; none if the socket is not connected.</param>
    /// <param name="handler">This socket's own.</param>
    /// <param name="limits">The service's limits.</param>
    /// <param name="ledger">Where to count.</param>
    /// <param name="ended">Called when the socket is closed; null for a server's door, which its handler may not close.</param>
    /// <exception cref="ArgumentException">The address is in use.</exception>
    public SimulatedDatagramLane(
        SimulatedNetwork network,
        PeerAddress local,
        PeerAddress peer,
        DatagramHandler handler,
        DatagramLimits limits,
        Ledger ledger,
        Action? ended)
    {
        _network = network;
        _limits = limits;
        _ledger = ledger;
        _peer = peer;
        _ended = ended ?? (static () => { });
        _socket = network.BindDatagram(local, Receive);
        _socket.AlarmDue = Tick;
        _socket.Unreachable = peer.Kind == AddressKind.None ? null : Unreachable;
        _onRing = OnRing;
        _bell = new LaneBell(() => network.At(network.Now, _onRing, 0));
        _session = new DatagramSession(handler, limits, ledger, _bell) { MayClose = ended is not null };
        _session.Opened(local, network.Now, UtcNow);
        Complete();
    }

    public PeerAddress Local => _socket.Address;

    /// <summary>What a handler threw last, if one did.</summary>
    public Exception? Fault { get; private set; }

    public bool IsClosed => _isClosed;

    private DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch + _network.Now;

    /// <summary>Tells it and its further sockets to drain; each closes when it is idle.</summary>
    public void Drain()
    {
        if (_isClosed || _isDraining)
        {
            return;
        }

        _isDraining = true;
        foreach (SimulatedDatagramLane lane in _opened.ToArray())
        {
            lane.Drain();
        }

        _session.Drain(_network.Now, UtcNow);
        Complete();
    }

    public void Close(CloseReason reason)
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        foreach (SimulatedDatagramLane lane in _opened.ToArray())
        {
            lane.Close(CloseReason.Completed);
        }

        _socket.Close();
        _session.Closed(reason);
        Fault = _session.Fault ?? Fault;
        _ended();
    }

    private void Receive(ReadOnlySpan<byte> bytes, PeerAddress from, TimeSpan now)
    {
        if (_peer.Kind != AddressKind.None && from != _peer)
        {
            // The kernel passes only the datagrams of the peer that a socket is connected to (udp(7)).
            return;
        }

        _session.Received(bytes, from, now, UtcNow);
        Complete();
    }

    private void Tick()
    {
        _session.Tick(_network.Now, UtcNow);
        Complete();
    }

    private void OnRing()
    {
        _bell.Take();
        if (!_isClosed)
        {
            _session.Ring(_network.Now, UtcNow);
            Complete();
        }
    }

    private void Unreachable()
    {
        if (!_isClosed)
        {
            _session.Unreachable(_peer, _network.Now, UtcNow);
            Complete();
        }
    }

    private void Complete()
    {
        if (_session.Fault is { } fault)
        {
            Fault = fault;
            _session.Fault = null;
        }

        while (_session.TryTakeOpening(out PeerAddress local, out DatagramHandler? handler))
        {
            Open(local, handler);
        }

        Send();
        if (_session.IsClosing || (_isDraining && _session.IsIdle))
        {
            Close(CloseReason.Completed);
        }
        else if (_session.Deadline != (_socket.Alarm ?? TimeSpan.MaxValue))
        {
            _socket.Alarm = _session.Deadline;
        }
    }

    private void Send()
    {
        DatagramOutbox outbox = _session.Outbox;
        for (int i = 0; i < outbox.Count; i++)
        {
            (ReadOnlyMemory<byte> bytes, PeerAddress to) = outbox[i];
            _socket.Send(to, bytes.Span);
            _ledger.DatagramSent(bytes.Length);
        }

        outbox.Clear();
    }

    private void Open(PeerAddress wanted, DatagramHandler handler)
    {
        PeerAddress asked = wanted.Kind == AddressKind.None ? _network.Host(Local).At(0) : wanted;
        PeerAddress local = asked.Port == 0 ? FreePortOf(asked) : asked;
        if (_network.Datagrams.IsBound(local))
        {
            new DatagramSession(handler, _limits, _ledger).Closed(CloseReason.TransportFailed);
            _session.OpenedSocketClosed();
            return;
        }

        SimulatedDatagramLane? lane = null;
        lane = new SimulatedDatagramLane(_network, local, default, handler, _limits, _ledger, () => OnOpenedClosed(lane));
        if (lane.IsClosed)
        {
            return; // its handler closed it while it was being opened
        }

        _opened.Add(lane);
        if (_isDraining)
        {
            lane.Drain();
        }
    }

    private void OnOpenedClosed(SimulatedDatagramLane? lane)
    {
        _session.OpenedSocketClosed();
        Fault = lane?.Fault ?? Fault;
        if (lane is not null)
        {
            _opened.Remove(lane);
        }

        if (_isDraining && !_isClosed && _session.IsIdle)
        {
            Close(CloseReason.Completed);
        }
    }

    private PeerAddress FreePortOf(PeerAddress address)
    {
        SimulatedHost host = _network.Host(address);
        ushort port = FirstFreePort;
        while (_network.Datagrams.IsBound(host.At(port)))
        {
            port++;
        }

        return host.At(port);
    }
}
