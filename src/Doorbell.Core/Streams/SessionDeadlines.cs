namespace Doorbell.Sessions;

/// <summary>
/// The limits of a session in time: to its first byte, between two bytes, in all, for a message and an answer, and for the peer's end.
/// </summary>
internal struct SessionDeadlines
{
    /// <summary>So many bytes of progress halve the time at rest.</summary>
    private const int HalvingBytes = 64;

    /// <summary>
    /// At a drain, a connection younger than this that has said nothing isn't idle: its first request is on its way. No client
    /// that connects and asks at once is refused by a restart, as long as its request takes less than this.
    /// </summary>
    private static readonly TimeSpan _firstRequestTakes = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Who has made no progress for so long is at rest. It is about how long a client's first request takes from far away, and a client
    /// that is asked and answered again and again never comes to it.
    /// </summary>
    private static readonly TimeSpan _comesToRest = TimeSpan.FromSeconds(1);

    private TimeSpan _opened;
    private TimeSpan _restingSince;
    private TimeSpan _lastActivity;
    private TimeSpan _finishedAt;
    private DataRate _arriving;
    private DataRate _leaving;

    public readonly TimeSpan OpenedAt => _opened;

    public readonly TimeSpan LastActivity => _lastActivity;

    public void Opened(TimeSpan now) => _opened = _lastActivity = _restingSince = now;

    public void Received(int count, TimeSpan now)
    {
        _lastActivity = now;
        _arriving.Move(count);
    }

    public void Sent(int count, TimeSpan now)
    {
        _lastActivity = now;
        _leaving.Move(count);
        Progress(count, now);
    }

    /// <summary>The handler works for the peer: that is no rest.</summary>
    public void Works(TimeSpan now) => _restingSince = now;

    /// <summary>
    /// So many bytes were progress: the handler has consumed them, or the kernel has taken them for the peer. Each takes the same share of
    /// the rest away. So an empty line now and then changes little, and
    /// so does a byte at a time; a request with something in it, or a steady flow, ends the rest whatever came before.
    /// </summary>
    public void Progress(int count, TimeSpan now)
    {
        if (count > 0 && now > _restingSince)
        {
            _restingSince = now - ((now - _restingSince) * ((double)HalvingBytes / (HalvingBytes + (long)count)));
        }
    }

    /// <summary>For how long no progress was made; zero, if that is so short that the connection is not at rest.</summary>
    public readonly TimeSpan RestAt(TimeSpan now) => now - _restingSince is var rest && rest >= _comesToRest ? rest : TimeSpan.Zero;

    public void Finished(TimeSpan now) => _finishedAt = now;

    /// <summary>Idle time is counted from here.</summary>
    public void Active(TimeSpan now) => _lastActivity = now;

    /// <summary>Says how much of a message has arrived and waits for the rest, and whether output is pending.</summary>
    public void Watch(int arrived, bool leaving, TimeSpan now)
    {
        _arriving.Watch(arrived > 0, arrived, now);
        _leaving.Watch(leaving, moved: 0, now);
    }

    /// <summary>When a closing session no longer waits for the peer's end.</summary>
    public readonly TimeSpan CloseDue(StreamLimits limits) => Deadline.After(_finishedAt, limits.CloseTimeout);

    /// <summary>Whether the first request may still be on its way.</summary>
    public readonly bool AwaitsFirstRequest(in SessionState state, TimeSpan now) =>
        !state.IsHeard && now < Deadline.After(_opened, _firstRequestTakes);

    /// <summary>Which limit is reached first, and when.</summary>
    /// <param name="state">The session's.</param>
    /// <param name="limits">The session's.</param>
    /// <param name="isLayered">What has moved so far may have been the layers'.</param>
    public readonly (TimeSpan Due, CloseReason Reason) First(in SessionState state, StreamLimits limits, bool isLayered)
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
            // Nothing has come: the last activity was that the peer took something.
            TimeSpan silent = Deadline.After(isLayered ? _opened : _lastActivity, limits.FirstByteTimeout);
            first = silent < first.Due ? (silent, CloseReason.FirstByteTimeout) : first;
            TimeSpan drained = state.IsDraining ? Deadline.After(_opened, _firstRequestTakes) : TimeSpan.MaxValue;
            first = drained < first.Due ? (drained, CloseReason.Completed) : first;
        }

        return first;
    }
}
