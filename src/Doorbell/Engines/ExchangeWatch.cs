using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>
/// Says in the log when CoAP exchanges are forgotten before their lifetime's end: within a second, and then once a minute at most for all
/// sockets together. It looks once a second; a request costs nothing.
/// </summary>
internal sealed class ExchangeWatch(Ledger ledger, int limit, ILogger log)
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _quiet = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _told;
    private TimeSpan? _toldAt;

    /// <summary>Looks each second until <paramref name="draining"/>.</summary>
    public async Task RunAsync(CancellationToken draining)
    {
        using PeriodicTimer timer = new(_period);
        try
        {
            while (await timer.WaitForNextTickAsync(draining).ConfigureAwait(false))
            {
                Look(MonotonicClock.Now);
            }
        }
        catch (OperationCanceledException)
        {
            // The drain has begun.
        }
    }

    /// <summary>Warns of what was forgotten since the last warning. Any thread may call it.</summary>
    /// <param name="now">On the monotonic scale.</param>
    public void Look(TimeSpan now)
    {
        lock (_gate)
        {
            long untold = ledger.Read().Coap.EvictedExchanges - _told;
            if (untold > 0 && (_toldAt is not { } last || now - last >= _quiet))
            {
                _told += untold;
                _toldAt = now;
                ServerLog.ExchangesEvicted(log, untold, limit);
            }
        }
    }
}
