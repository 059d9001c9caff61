using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>
/// Reads the backlogs of a server's listeners, and says in the log when one overflows: once a minute at most for each. It looks once a
/// second; a request costs nothing.
/// </summary>
internal sealed class BacklogWatch
{
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
    public BacklogWatch(IEnumerable<DoorSocket> sockets, ILogger log, Func<ListenCounters?> counters)
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
        if (Read().Any(static reading => reading.Dropped is not null))
        {
            await SecondTimer.RunAsync(Look, draining).ConfigureAwait(false);
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
                long untold = listener.TakeUntold(reading.Overflowed ?? 0, now);
                if (untold > 0)
                {
                    ServerLog.BacklogOverflowed(_log, reading.Endpoint, untold, reading.Waiting, reading.Limit);
                }
            }
        }
    }

    private sealed class Watched(DoorSocket bound)
    {
        private BacklogReading _reading = BacklogReading.ReadListener(bound.Socket, bound.Door.Endpoint);
        private long _counted;
        private long _overflowed;
        private RateLimitedCount _untold;

        /// <summary>How many of the overflows the log is to tell of now.</summary>
        public long TakeUntold(long overflowed, TimeSpan now) => _untold.Take(overflowed, now);

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
