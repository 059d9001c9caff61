namespace Doorbell.Sessions;

/// <content>The limits in time.</content>
public sealed partial class StreamSession
{
    /// <summary>
    /// At a drain, a connection younger than this that has said nothing isn't idle: its first request is on its way. No client
    /// that connects and asks at once is refused by a restart, as long as its request takes less than this.
    /// </summary>
    private static readonly TimeSpan _firstRequestTakes = TimeSpan.FromSeconds(1);

    /// <summary>Which limit is reached first, and when.</summary>
    private (TimeSpan Due, CloseReason Reason) Limit
    {
        get
        {
            (TimeSpan Due, CloseReason Reason) first = (
                _parked && _phase == Phase.Open ? TimeSpan.MaxValue : After(_lastActivity, _limits.IdleTimeout), CloseReason.IdleTimeout);
            if (_limits.MinDataRate > 0)
            {
                TimeSpan slow = Earlier(_arriving.Due(_limits), _leaving.Due(_limits));
                first = slow < first.Due ? (slow, CloseReason.TooSlow) : first;
            }

            if (_phase == Phase.Open)
            {
                TimeSpan old = After(_opened, _limits.MaxLifetime);
                first = old < first.Due ? (old, CloseReason.LifetimeExceeded) : first;
            }

            if (!_heard)
            {
                TimeSpan silent = After(_opened, _limits.FirstByteTimeout);
                first = silent < first.Due ? (silent, CloseReason.FirstByteTimeout) : first;
                TimeSpan drained = Draining && _request is null ? After(_opened, _firstRequestTakes) : TimeSpan.MaxValue;
                first = drained < first.Due ? (drained, CloseReason.Completed) : first;
            }

            return first;
        }
    }

    internal static TimeSpan After(TimeSpan time, TimeSpan wait) =>
        wait == Timeout.InfiniteTimeSpan || wait > TimeSpan.MaxValue - time ? TimeSpan.MaxValue : time + wait;

    private bool AwaitsFirstRequest(TimeSpan now) => _request is null && !_heard && now < After(_opened, _firstRequestTakes);

    /// <summary>While parked the handler works: idle time is counted from when that ends, not from when it began.</summary>
    private void RestartIdleTimeIfParked(TimeSpan now)
    {
        if (_parked && _phase == Phase.Open)
        {
            _lastActivity = now;
        }
    }

    private void EnforceLimits(TimeSpan now)
    {
        if (_phase == Phase.Closing && _finished)
        {
            // The peer has had its time to end; our FIN is out and the answer delivered or not by TCP: just close.
            _ended |= After(_finishedAt, _limits.CloseTimeout) <= now;
            return;
        }

        RestartIdleTimeIfParked(now);
        (TimeSpan due, CloseReason reason) = Limit;
        if (due > now)
        {
            return;
        }

        bool stuck = reason == CloseReason.TooSlow || (reason == CloseReason.IdleTimeout && _output.Pending > 0);
        if (stuck || _phase == Phase.Closing)
        {
            Terminate(reason);
        }
        else if (reason == CloseReason.Completed)
        {
            // No request is on its way: from here on the drain treats it like any other.
            _heard = true;
        }
        else
        {
            BeginClose(reason);
        }
    }
}
