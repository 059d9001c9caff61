using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>
/// Says in the log when CoAP exchanges are forgotten before their lifetime's end: within a second, and then once a minute at most for all
/// sockets together. It looks once a second; a request costs nothing.
/// </summary>
internal sealed class ExchangeWatch(Ledger ledger, int limit, ILogger log)
{
    private readonly Lock _gate = new();
    private UntoldCount _untold;

    /// <summary>Looks each second until <paramref name="draining"/>.</summary>
    public Task RunAsync(CancellationToken draining) => EachSecond.RunAsync(Look, draining);

    /// <summary>Warns of what was forgotten since the last warning. Any thread may call it.</summary>
    /// <param name="now">On the monotonic scale.</param>
    public void Look(TimeSpan now)
    {
        lock (_gate)
        {
            long untold = _untold.Take(ledger.Read().Coap.EvictedExchanges, now);
            if (untold > 0)
            {
                ServerLog.ExchangesEvicted(log, untold, limit);
            }
        }
    }
}
