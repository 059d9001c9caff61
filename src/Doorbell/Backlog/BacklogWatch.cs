using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>
/// Reads the backlogs of a server's listeners, and says in the log when one overflows: once a minute at most for each. A look is two
/// system calls a listener and second; a request costs nothing.
/// </summary>
internal sealed class BacklogWatch(IEnumerable<BoundSocket> sockets, ILogger log)
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _quiet = TimeSpan.FromMinutes(1);

    private readonly Watched[] _listeners =
        [.. sockets.Where(static bound => bound.Door.Endpoint.IsStream).Select(static bound => new Watched(bound))];

    /// <summary>Of a listener that is closed, the last that was read, with nobody waiting.</summary>
    public IReadOnlyList<BacklogReading> Read() => [.. _listeners.Select(static listener => listener.Read())];

    /// <summary>Looks each second until <paramref name="draining"/>, when the listeners close.</summary>
    public async Task RunAsync(CancellationToken draining)
    {
        // Where nothing is told, off Linux and of unix sockets, there is nothing to look at.
        if (!_listeners.Any(static listener => listener.Read().Dropped is not null))
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

    /// <summary>Warns of what was dropped since the last warning. Called by one thread at a time.</summary>
    /// <param name="now">On the monotonic scale.</param>
    public void Look(TimeSpan now)
    {
        foreach (Watched listener in _listeners)
        {
            BacklogReading reading = listener.Read();
            long dropped = (reading.Dropped ?? 0) - listener.Warned;
            if (dropped > 0 && (listener.WarnedAt is not { } last || now - last >= _quiet))
            {
                listener.Warned += dropped;
                listener.WarnedAt = now;
                ServerLog.BacklogOverflowed(log, reading.Endpoint, dropped, reading.Waiting, reading.Limit);
            }
        }
    }

    private sealed class Watched(BoundSocket bound)
    {
        private readonly Socket _listener = bound.Socket;
        private BacklogReading _last = BacklogReading.Read(bound.Socket, bound.Door.Endpoint);

        /// <summary>How many of the drops the log has told of.</summary>
        public long Warned { get; set; }

        public TimeSpan? WarnedAt { get; set; }

        public BacklogReading Read()
        {
            try
            {
                return _last = BacklogReading.Read(_listener, bound.Door.Endpoint);
            }
            catch (ObjectDisposedException)
            {
                return _last with { Waiting = _last.Waiting is null ? null : 0 };
            }
        }
    }
}
