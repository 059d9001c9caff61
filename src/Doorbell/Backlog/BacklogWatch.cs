using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>
/// Reads the backlogs of a server's listeners, and says in the log when one overflows: once a minute at most for each. It looks once a
/// second; a request costs nothing.
/// </summary>
internal sealed class BacklogWatch
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _quiet = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Watched[] _listeners;
    private readonly ILogger _log;
    private readonly Func<ListenCounters?> _counters;

    /// <summary>The network namespace's overflows at the last reading, and at the one before.</summary>
    private long _overflows;
    private long _overflowsBefore;

    /// <param name="sockets">The server's; only streams' have a backlog. They stay their owner's.</param>
    /// <param name="log">Where to warn.</param>
    /// <param name="counters">Reads the network namespace's counters.</param>
    public BacklogWatch(IEnumerable<BoundSocket> sockets, ILogger log, Func<ListenCounters?> counters)
    {
        _log = log;
        _counters = counters;
        _overflows = _overflowsBefore = counters()?.ListenOverflows ?? 0;
        _listeners = [.. sockets.Where(static bound => bound.Door.Endpoint.IsStream).Select(static bound => new Watched(bound))];
    }

    /// <summary>Of a listener that is closed, the last that was read, with nobody waiting. Any thread may call it.</summary>
    public IReadOnlyList<BacklogReading> Read()
    {
        lock (_gate)
        {
            foreach (Watched listener in _listeners)
            {
                listener.Read();
            }

            // Read after what the listeners dropped, and compared with what was read before they were last looked at: an overflow
            // that falls between two calls is so counted with its drop.
            long overflows = _counters()?.ListenOverflows ?? 0;
            long grown = overflows - _overflowsBefore;
            (_overflowsBefore, _overflows) = (_overflows, overflows);
            return [.. _listeners.Select(listener => listener.Count(grown))];
        }
    }

    /// <summary>Looks each second until <paramref name="draining"/>, when the listeners close.</summary>
    public async Task RunAsync(CancellationToken draining)
    {
        // Where nothing is told, off Linux and of unix sockets, there is nothing to look at.
        if (!Read().Any(static reading => reading.Dropped is not null))
        {
            return;
        }

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

    /// <summary>Warns of what overflowed since the last warning. Any thread may call it.</summary>
    /// <param name="now">On the monotonic scale.</param>
    public void Look(TimeSpan now)
    {
        lock (_gate)
        {
            foreach ((Watched listener, BacklogReading reading) in _listeners.Zip(Read()))
            {
                long untold = (reading.Overflowed ?? 0) - listener.Told;
                if (untold > 0 && (listener.ToldAt is not { } last || now - last >= _quiet))
                {
                    listener.Told += untold;
                    listener.ToldAt = now;
                    ServerLog.BacklogOverflowed(_log, reading.Endpoint, untold, reading.Waiting, reading.Limit);
                }
            }
        }
    }

    private sealed class Watched(BoundSocket bound)
    {
        private BacklogReading _reading = BacklogReading.ReadListener(bound.Socket, bound.Door.Endpoint);
        private long _counted;
        private long _overflowed;

        /// <summary>How many of the overflows the log has told of.</summary>
        public long Told { get; set; }

        public TimeSpan? ToldAt { get; set; }

        public void Read()
        {
            try
            {
                _reading = BacklogReading.ReadListener(bound.Socket, bound.Door.Endpoint);
            }
            catch (ObjectDisposedException)
            {
                _reading = _reading with { Waiting = _reading.Waiting is null ? null : 0 };
            }
        }

        /// <param name="grown">By how much the network namespace's overflows have grown; of all its listeners.</param>
        public BacklogReading Count(long grown)
        {
            if (_reading.Dropped is not { } dropped)
            {
                return _reading;
            }

            _overflowed += Math.Min(dropped - _counted, grown);
            _counted = dropped;
            return _reading with { Overflowed = _overflowed };
        }
    }
}
