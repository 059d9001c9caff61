namespace Doorbell.Testing;

/// <summary>Brings a lane round whenever there may be something to do for its session.</summary>
internal sealed class SimulatedConnection
{
    private readonly SimulatedNetwork _network;
    private readonly SessionLane _lane;
    private bool _isWoken;
    private TimeSpan _tickAt = TimeSpan.MaxValue;

    public SimulatedConnection(SimulatedNetwork network, SessionSetting setting, PeerAddress peer, StreamEnd end)
    {
        _network = network;
        _lane = new SessionLane(setting, peer, end, network.Fork(), Wake);
        end.Input.OnArrival = Wake;
        end.Output.OnRoom = Wake;
    }

    public void Open()
    {
        _lane.Session.Opened(_network.Now, DateTimeOffset.UnixEpoch + _network.Now);
        Wake();
    }

    private void Wake()
    {
        if (!_isWoken && _lane.Ended is null)
        {
            _isWoken = true;
            _network.After(TimeSpan.Zero, Step);
        }
    }

    private void Step()
    {
        _isWoken = false;
        if (_lane.Step(_network.Now))
        {
            Wake();
        }

        SetTick();
    }

    private void SetTick()
    {
        TimeSpan due = _lane.Session.Deadline;
        if (_lane.Ended is null && due < _tickAt)
        {
            _tickAt = due;
            _network.After(due > _network.Now ? due - _network.Now : TimeSpan.Zero, () => Tick(due));
        }
    }

    private void Tick(TimeSpan due)
    {
        if (due == _tickAt && _lane.Ended is null)
        {
            _tickAt = TimeSpan.MaxValue;
            _lane.Session.Tick(_network.Now);
            Wake();
            SetTick();
        }
    }
}
