namespace Doorbell.Testing;

/// <summary>
/// A timer in virtual time. Setting it later, or to never, costs nothing: the event that is in the queue looks again when it comes.
/// </summary>
internal sealed class VirtualTimer(SimulatedNetwork network, Action due) : IScheduled
{
    private TimeSpan _at = TimeSpan.MaxValue;
    private TimeSpan _scheduled = TimeSpan.MaxValue;
    private int _lastEvent;

    /// <summary>When it is due; <see cref="TimeSpan.MaxValue"/> for never, and once it was.</summary>
    public TimeSpan At
    {
        get => _at;
        set
        {
            _at = value;
            Schedule();
        }
    }

    void IScheduled.Happen(int what)
    {
        if (what != _lastEvent)
        {
            return; // set to an earlier time since
        }

        _scheduled = TimeSpan.MaxValue;
        if (_at > network.Now)
        {
            Schedule();
            return;
        }

        _at = TimeSpan.MaxValue;
        due();
    }

    private void Schedule()
    {
        if (_at < _scheduled)
        {
            _scheduled = _at;
            network.At(_at > network.Now ? _at : network.Now, this, ++_lastEvent);
        }
    }
}
