using Doorbell.Serving;

namespace Doorbell.Clients;

/// <summary>
/// How long to wait before a server that failed is called again: twice as long after each failure in a row, shortened by up to a half at
/// random, so that the clients of a server that was restarted don't come back all at once. Any thread may use it.
/// </summary>
internal sealed class ReconnectDelay
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _max = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private TimeSpan _next = _first;
    private TimeSpan _notBefore;

    /// <summary>The server took no connection, or ended one without an answer.</summary>
    public void Failed()
    {
        lock (_lock)
        {
            _notBefore = MonotonicClock.Now + (_next * (1 - (Random.Shared.NextDouble() / 2)));
            _next = _next * 2 < _max ? _next * 2 : _max;
        }
    }

    /// <summary>The server has answered.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            (_next, _notBefore) = (_first, TimeSpan.Zero);
        }
    }

    /// <summary>Waits until it may be called again.</summary>
    public Task WaitAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            TimeSpan wait = _notBefore - MonotonicClock.Now;
            return wait > TimeSpan.Zero ? Task.Delay(wait, cancellation) : Task.CompletedTask;
        }
    }
}
