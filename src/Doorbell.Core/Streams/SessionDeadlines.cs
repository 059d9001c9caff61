namespace Doorbell.Sessions;

/// <summary>
/// The limits of a session in time: to its first byte, between two bytes, in all, for a message and an answer, and for the peer's end.
/// </summary>
internal struct SessionDeadlines
{
    /// <summary>
    /// At a drain, a connection younger than this that has said nothing isn't idle: its first request is on its way. No client
    /// that connects and asks at once is refused by a restart, as long as its request takes less than this.
    /// </summary>
    private static readonly TimeSpan _firstRequestTakes = TimeSpan.FromSeconds(1);

    private TimeSpan _opened;
    private TimeSpan _lastActivity;
    private TimeSpan _finishedAt;
    private DataRate _arriving;
    private DataRate _leaving;

    public readonly TimeSpan OpenedAt => _opened;

    public readonly TimeSpan LastActivity => _lastActivity;

    public void Opened(TimeSpan now) => _opened = _lastActivity = now;

    public void Received(int count, TimeSpan now)
    {
        _lastActivity = now;
        _arriving.Move(count);
    }

    public void Sent(int count, TimeSpan now)
    {
        _lastActivity = now;
        _leaving.Move(count);
    }

    public void Finished(TimeSpan now) => _finishedAt = now;

    /// <summary>Idle time is counted from here.</summary>
    public void Active(TimeSpan now) => _lastActivity = now;

    /// <summary>Says whether part of a message has arrived, and whether output is pending.</summary>
    public void Watch(bool arriving, bool leaving, TimeSpan now)
    {
        _arriving.Watch(arriving, now);
        _leaving.Watch(leaving, now);
    }

    /// <summary>When a closing session no longer waits for the peer's end.</summary>
    public readonly TimeSpan CloseDue(StreamLimits limits) => Deadline.After(_finishedAt, limits.CloseTimeout);

    /// <summary>Whether the first request may still be on its way.</summary>
    public readonly bool AwaitsFirstRequest(in SessionState state, TimeSpan now) =>
        !state.IsHeard && now < Deadline.After(_opened, _firstRequestTakes);

    /// <summary>Which limit is reached first, and when.</summary>
    public readonly (TimeSpan Due, CloseReason Reason) First(in SessionState state, StreamLimits limits)
    {
        (TimeSpan Due, CloseReason Reason) first = (
            state.IsParked && state.IsOpen ? TimeSpan.MaxValue : Deadline.After(_lastActivity, limits.IdleTimeout),
            CloseReason.IdleTimeout);
        if (limits.MinDataRate > 0)
        {
            TimeSpan slow = Deadline.Earlier(_arriving.Due(limits), _leaving.Due(limits));
            first = slow < first.Due ? (slow, CloseReason.TooSlow) : first;
        }

        if (state.IsOpen)
        {
            TimeSpan old = Deadline.After(_opened, limits.MaxLifetime);
            first = old < first.Due ? (old, CloseReason.LifetimeExceeded) : first;
        }

        if (!state.IsHeard)
        {
            TimeSpan silent = Deadline.After(_opened, limits.FirstByteTimeout);
            first = silent < first.Due ? (silent, CloseReason.FirstByteTimeout) : first;
            TimeSpan drained = state.IsDraining ? Deadline.After(_opened, _firstRequestTakes) : TimeSpan.MaxValue;
            first = drained < first.Due ? (drained, CloseReason.Completed) : first;
        }

        return first;
    }
}
