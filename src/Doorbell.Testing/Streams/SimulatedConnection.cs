namespace Doorbell.Testing;

/// <summary>Brings a lane round whenever there may be something to do for its session.</summary>
internal sealed class SimulatedConnection : IScheduled
{
    private readonly SimulatedNetwork _network;
    private readonly Action<SimulatedConnection> _left;
    private readonly SessionLane _lane;
    private readonly VirtualTimer _deadline;
    private bool _isWoken;

    public SimulatedConnection(
        SimulatedNetwork network, SimulatedListener listener, SessionSetting setting, StreamEnd end, Action<SimulatedConnection> left)
    {
        _network = network;
        _left = left;
        Info = setting.Connection;
        _lane = new SessionLane(setting, end, network.Fork(), Wake) { Connect = listener.Connect };
        _deadline = new VirtualTimer(network, Tick);
        end.OnChange = Wake;
    }

    /// <summary>What is known of it.</summary>
    public ConnectionInfo Info { get; }

    /// <summary>Where it is in its listener's list.</summary>
    public int Index { get; set; }

    /// <summary>What its handler threw, if it did.</summary>
    public Exception? Fault => _lane.Session.Fault;

    public void Open()
    {
        _lane.Session.Opened(_network.Now, DateTimeOffset.UnixEpoch + _network.Now);
        SetDeadline();
        Wake();
    }

    public void Drain()
    {
        _lane.Drain();
        Wake();
    }

    /// <summary>The drain is over: ends it with a reset.</summary>
    public void Abort()
    {
        if (_lane.Ended is null)
        {
            _lane.Fail(CloseReason.DrainDeadline);
            Wake();
        }
    }

    /// <summary>For how long its peer has been at rest.</summary>
    public TimeSpan Rest => _lane.Ended is null ? _lane.Session.RestAt(_network.Now) : TimeSpan.Zero;

    /// <summary>Makes room for another, if its peer is at rest and its handler does not work.</summary>
    public bool TryMakeRoom()
    {
        bool makesRoom = _lane.Session.TryMakeRoom(_network.Now);
        Wake();
        return makesRoom;
    }

    /// <summary>The memory that it holds for output and input.</summary>
    public long HeldBytes => _lane.Ended is null ? _lane.Session.HeldBytes : 0;

    /// <summary>Is reset, so that its memory is free.</summary>
    /// <returns>How much that is.</returns>
    public long GiveBack()
    {
        long held = HeldBytes;
        if (held > 0 && _lane.Session.TryGiveBack(held, _network.Now))
        {
            Wake();
        }

        return held;
    }

    void IScheduled.Happen(int what)
    {
        _isWoken = false;
        if (_lane.Ended is not null)
        {
            return;
        }

        bool did = _lane.Step(_network.Now);
        if (_lane.Ended is not null)
        {
            _deadline.At = TimeSpan.MaxValue;
            _left(this);
            return;
        }

        if (did)
        {
            Wake();
        }

        SetDeadline();
    }

    private void Wake()
    {
        if (!_isWoken && _lane.Ended is null)
        {
            _isWoken = true;
            _network.At(_network.Now, this, 0);
        }
    }

    private void SetDeadline()
    {
        TimeSpan due = _lane.Session.Deadline;
        if (due != _deadline.At)
        {
            _deadline.At = due;
        }
    }

    private void Tick()
    {
        if (_lane.Ended is null)
        {
            _lane.Session.Tick(_network.Now);
            Wake();
            SetDeadline();
        }
    }
}
