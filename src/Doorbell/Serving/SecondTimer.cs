namespace Doorbell.Serving;

/// <summary>Looks at something once a second, so that a request costs nothing.</summary>
internal static class SecondTimer
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    /// <summary>Calls <paramref name="look"/> with the monotonic time each second until <paramref name="draining"/>.</summary>
    public static async Task RunAsync(Action<TimeSpan> look, CancellationToken draining)
    {
        using PeriodicTimer timer = new(_period);
        try
        {
            while (await timer.WaitForNextTickAsync(draining).ConfigureAwait(false))
            {
                look(MonotonicClock.Now);
            }
        }
        catch (OperationCanceledException)
        {
            // The drain has begun.
        }
    }
}
