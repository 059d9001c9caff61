using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>
/// Says in the log when a counter with a warning (<see cref="LedgerCounter.Warning"/>) grows: within a second, and then once a minute at
/// most. It looks once a second, so a request costs nothing.
/// </summary>
internal sealed class CounterWatch(Ledger ledger, ILogger log)
{
    private readonly Lock _gate = new();
    private readonly LedgerCounter[] _counters = [.. ledger.Counters.Where(static counter => counter.Warning is not null)];
    private readonly Dictionary<string, RateLimitedCount> _untold = [];

    /// <summary>Looks each second until <paramref name="draining"/>; at once done if there is nothing to look at.</summary>
    public Task RunAsync(CancellationToken draining) => _counters.Length == 0 ? Task.CompletedTask : SecondTimer.RunAsync(Look, draining);

    /// <summary>Warns of what has been counted since the last warning. Any thread may call it.</summary>
    /// <param name="now">On the monotonic scale.</param>
    public void Look(TimeSpan now)
    {
        if (_counters.Length == 0)
        {
            return;
        }

        lock (_gate)
        {
            LedgerSnapshot counts = ledger.Read();
            foreach (LedgerCounter counter in _counters)
            {
                RateLimitedCount untold = _untold.GetValueOrDefault(counter.Name);
                long more = untold.Take(counts.Of(counter), now);
                _untold[counter.Name] = untold;
                if (more > 0)
                {
                    ServerLog.CounterGrew(log, counter.Warning!.Replace("{0}", $"{more}", StringComparison.Ordinal));
                }
            }
        }
    }
}
