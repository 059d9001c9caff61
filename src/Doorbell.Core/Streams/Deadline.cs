namespace Doorbell.Sessions;

/// <summary>Times at which something is due; <see cref="TimeSpan.MaxValue"/> is never.</summary>
internal static class Deadline
{
    /// <summary>A time after a wait; never, if the wait is infinite or the time too late to be told.</summary>
    public static TimeSpan After(TimeSpan time, TimeSpan wait) =>
        wait == Timeout.InfiniteTimeSpan || wait > TimeSpan.MaxValue - time ? TimeSpan.MaxValue : time + wait;

    public static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
