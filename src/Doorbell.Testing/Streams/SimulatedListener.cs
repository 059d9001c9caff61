using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>A service that is served over streams on a <see cref="SimulatedNetwork"/>: its backlog, its limits, its drain.</summary>
public sealed class SimulatedListener : IScheduled
{
    private const int Accept = 0;
    private const int DrainIsOver = 1;
    private const int LookForRoom = 2;
    private const int BudgetIsExceeded = 3;
    private const int SomaxConn = 4096;

    /// <summary>As the server.</summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>Linux's own (net.ipv4.ip_local_port_range).</summary>
    private const ushort FirstEphemeralPort = 32768;
    private const ushort LastEphemeralPort = 60999;

    private readonly SimulatedNetwork _network;
    private readonly PeerAddress _address;
    private readonly Service _service;
    private readonly SimulatedServerOptions _options;
    private readonly byte[] _refusal;
    private readonly CountingPool _pool;
    private readonly AddressCounts _ofAddress;
    private readonly Queue<(PeerAddress From, StreamEnd End)> _backlog = new();
    private readonly List<SimulatedConnection> _connections = [];
    private readonly HashSet<SimulatedConnecting> _connecting = [];
    private readonly List<SimulatedConnection> _outgoing = [];
    private readonly Endpoint _door;
    private ushort _lastPort = FirstEphemeralPort - 1;
    private long _opened;
    private bool _accepts;
    private bool _looksForRoom;

    /// <summary>Those that have been told to make room and have not left yet.</summary>
    private readonly HashSet<SimulatedConnection> _leaving = [];
    private bool _drains;
    private bool _givesBack;

    internal SimulatedListener(SimulatedNetwork network, PeerAddress address, Service service, SimulatedServerOptions options)
    {
        options.Validate();
        service.StreamLimits.Validate();
        _network = network;
        _address = address;
        _door = Endpoint.From(Transport.Tcp, address.ToIPEndPoint());
        Ledger = new Ledger([.. service.Counters]);
        _service = service;
        _options = options;
        _pool = new CountingPool(new BufferBudget(options.MaxBufferedBytes, GiveBackSoon));
        _refusal = System.Text.Encoding.UTF8.GetBytes(options.RefusalLine is { } line ? line + "\n" : "");
        _ofAddress = new AddressCounts(options.MaxConnectionsPerAddress);
        if (service.NewStreamHandler is null)
        {
            throw new ArgumentException($"{service.Name} does not speak over streams.", nameof(service));
        }
    }

    /// <summary>Where its connections are counted.</summary>
    public Ledger Ledger { get; }

    /// <summary>Bytes its sessions hold in rented memory; 0 when all are idle or ended.</summary>
    public long RentedBytes => _pool.RentedBytes;

    /// <summary>What a handler threw last, if one did.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Connections that wait, complete, to be accepted.</summary>
    public int Waiting => _backlog.Count;

    /// <summary>How often a SYN, or a handshake's last acknowledgement, found the backlog full and was dropped.</summary>
    public long Overflowed { get; private set; }

    /// <summary>Whether it has drained: it takes no connections, and has none.</summary>
    public bool IsDrained =>
        _drains && _connections.Count == 0 && _backlog.Count == 0 && _connecting.Count == 0 && _outgoing.Count == 0;

    /// <summary>Connections that its handlers have opened and that are open now.</summary>
    public int OutgoingConnections => _outgoing.Count;

    // Linux asks whether more than the limit wait already.
    private bool IsFull => _backlog.Count > Math.Min(_options.ListenBacklog ?? SomaxConn, SomaxConn);

    /// <summary>Whose a connection is, is known when its layers are open.</summary>
    private bool HasLayers => _options.Layers.Count > 0;

    private bool HasPlace => _connections.Count < _options.MaxConnections;

    /// <summary>
    /// Stops listening, so that its address is free, lets what is in flight be answered, and after <paramref name="deadline"/> resets
    /// what is left, as <c>Server.DrainAsync</c> does. What waits in the backlog is still accepted. Once.
    /// </summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    public void Drain(TimeSpan deadline)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        if (_drains)
        {
            return;
        }

        _drains = true;
        _network.StopListening(_address);
        foreach (SimulatedConnection connection in _connections.Concat(_outgoing))
        {
            connection.Drain();
        }

        if (!IsDrained)
        {
            _network.At(_network.Now + deadline, this, DrainIsOver);
        }
    }

    /// <summary>Whether a SYN is answered; otherwise it is dropped, and the client sends it again.</summary>
    internal bool TakesSyn()
    {
        Overflowed += IsFull ? 1 : 0;
        return !IsFull;
    }

    /// <summary>A handshake is complete; false if there is no place for it in the backlog, and its last segment is dropped.</summary>
    internal bool Complete(PeerAddress from, StreamEnd end)
    {
        if (_drains)
        {
            end.Abort();
            return true;
        }

        if (!TakesSyn())
        {
            return false;
        }

        _backlog.Enqueue((from, end));
        AcceptSoon();
        return true;
    }

    /// <summary>A handler asks for a connection.</summary>
    internal void Connect(ConnectRequest request)
    {
        long max = _options.MaxOutgoingConnections ?? (2L * _options.MaxConnections);
        if (_connecting.Count + _outgoing.Count >= max)
        {
            Ledger.OutgoingRefused();
            ConnectFailure failure = new(
                "EAGAIN", $"connect {request.Endpoint}: as many connections of handlers are open as may be, {max} (EAGAIN)");
            Fault = request.Fail(failure, Ledger) ?? Fault;
            return;
        }

        SimulatedConnecting connecting = new(_network, this, request);
        _connecting.Add(connecting);
        _lastPort = _lastPort == LastEphemeralPort ? FirstEphemeralPort : (ushort)(_lastPort + 1);
        connecting.Begin(_network.Host(_address).At(_lastPort));
    }

    internal void Connected(SimulatedConnecting connecting, ConnectRequest request, StreamEnd end, PeerAddress from, PeerAddress to)
    {
        _connecting.Remove(connecting);
        SimulatedConnectionInfo info = new(++_opened, request.Endpoint, to, from);
        SessionSetting setting = new(request.Handler, info, request.Limits, Ledger, _pool, []) { Request = request };
        SimulatedConnection connection = new(_network, this, setting, end, OutgoingLeft) { Index = _outgoing.Count };
        _outgoing.Add(connection);
        Open(connection);
    }

    internal void NotConnected(SimulatedConnecting connecting, ConnectRequest request, ConnectFailure failure)
    {
        _connecting.Remove(connecting);
        Fault = request.Fail(failure, Ledger) ?? Fault;
    }

    private void OutgoingLeft(SimulatedConnection connection)
    {
        Fault = connection.Fault ?? Fault;
        Remove(_outgoing, connection);
    }

    private static void Remove(List<SimulatedConnection> list, SimulatedConnection connection)
    {
        SimulatedConnection last = list[^1];
        list[connection.Index] = last;
        last.Index = connection.Index;
        list.RemoveAt(list.Count - 1);
    }

    private void Left(SimulatedConnection connection)
    {
        Fault = connection.Fault ?? Fault;
        if (!HasLayers)
        {
            _ofAddress.Remove(connection.Info.TransportPeer);
        }
        else if (connection.Info.Get<CountedAddress>() is { } counted)
        {
            _ofAddress.Remove(counted.Peer);
        }

        _leaving.Remove(connection);
        Remove(_connections, connection);
        AcceptSoon();
    }

    void IScheduled.Happen(int what)
    {
        if (what == DrainIsOver)
        {
            Abort();
            return;
        }

        if (what == BudgetIsExceeded)
        {
            _givesBack = false;
            GiveBack();
            return;
        }

        if (what == LookForRoom)
        {
            _looksForRoom = false;
        }
        else
        {
            _accepts = false;
        }

        while (_backlog.Count > 0 && (HasPlace || _options.AtLimit == AtLimit.Close))
        {
            (PeerAddress from, StreamEnd end) = _backlog.Dequeue();
            if (HasPlace && (HasLayers || _ofAddress.TryAdd(from)))
            {
                Serve(from, end);
            }
            else
            {
                Refuse(end);
            }
        }

        if (_backlog.Count > 0 && _options.AtLimit == AtLimit.MakeRoom)
        {
            MakeRoom();
        }
    }

    /// <summary>Those that have been at rest for the longest go; whether more are at rest is looked at a moment later.</summary>
    private void MakeRoom()
    {
        IEnumerable<SimulatedConnection> atRest = _connections
            .Where(connection => connection.Rest > TimeSpan.Zero && !_leaving.Contains(connection))
            .OrderByDescending(static connection => connection.Rest);
        foreach (SimulatedConnection connection in atRest.ToArray())
        {
            if (_leaving.Count >= _backlog.Count)
            {
                break;
            }

            if (connection.TryMakeRoom())
            {
                _leaving.Add(connection);
            }
        }

        if (!_looksForRoom)
        {
            _looksForRoom = true;
            _network.At(_network.Now + _lookAgain, this, LookForRoom);
        }
    }

    /// <summary>A handler may be in its turn.</summary>
    private void GiveBackSoon()
    {
        if (!_givesBack)
        {
            _givesBack = true;
            _network.At(_network.Now, this, BudgetIsExceeded);
        }
    }

    /// <summary>As the server: the greediest go, of equals those at rest for the longest, until it is a little less.</summary>
    private void GiveBack()
    {
        long excess = _pool.Budget.HeldBytes - _pool.Budget.MaxBytes;
        if (excess <= 0)
        {
            return;
        }

        excess += _pool.Budget.MaxBytes / 64;
        IEnumerable<SimulatedConnection> greediest = _connections.Concat(_outgoing)
            .OrderByDescending(static connection => connection.HeldBytes)
            .ThenByDescending(static connection => connection.Rest);
        foreach (SimulatedConnection connection in greediest.ToArray())
        {
            if (excess <= 0)
            {
                break;
            }

            excess -= connection.GiveBack();
        }
    }

    private void AcceptSoon()
    {
        if (!_accepts && _backlog.Count > 0)
        {
            _accepts = true;
            _network.At(_network.Now, this, Accept);
        }
    }

    private void Serve(PeerAddress from, StreamEnd end)
    {
        SimulatedConnectionInfo info = new(++_opened, _door, from, _address);
        SessionSetting setting = new(
            _service.CreateStreamHandler(info), info, _service.StreamLimits, Ledger, _pool, Layers());
        SimulatedConnection connection = new(_network, this, setting, end, Left) { Index = _connections.Count };
        _connections.Add(connection);
        Open(connection);
    }

    private IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers() => !HasLayers
        ? []
        : [.. _options.Layers, connection => new PeerAdmissionLayer(connection, AdmitsBehindLayers, _refusal)];

    private bool AdmitsBehindLayers(PeerAddress peer)
    {
        if (_ofAddress.TryAdd(peer))
        {
            return true;
        }

        Ledger.ConnectionRefused();
        Ledger.RefusedWhenOpen();
        return false;
    }

    private void Open(SimulatedConnection connection)
    {
        connection.Open();
        if (_drains)
        {
            connection.Drain();
        }
    }

    private void Refuse(StreamEnd end)
    {
        Ledger.ConnectionRefused();
        end.Send(_refusal);
        end.Finish();

        // What it has sent already is read first: closing with unread input sends a reset, which can destroy the line.
        Span<byte> unread = stackalloc byte[1024];
        end.Receive(unread[..Math.Min(end.Readable, unread.Length)]);
        end.Close();
    }

    private void Abort()
    {
        foreach ((_, StreamEnd end) in _backlog)
        {
            end.Abort();
        }

        _backlog.Clear();
        foreach (SimulatedConnection connection in _connections.Concat(_outgoing))
        {
            connection.Abort();
        }

        foreach (SimulatedConnecting connecting in _connecting.ToArray())
        {
            connecting.Abort();
        }
    }
}
