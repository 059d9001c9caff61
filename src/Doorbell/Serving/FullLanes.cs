using Doorbell.Sockets;

namespace Doorbell.Serving;

/// <summary>
/// Where a fixed number of lanes carry one connection each: when all of them have one, and others wait in the backlog, those that have been
/// at rest for the longest make room (<see cref="AtLimit.MakeRoom"/>). Nobody is free to accept then, so it looks once a second, and a
/// request costs nothing. Any thread may call any member.
/// </summary>
/// <param name="context">Of the server.</param>
/// <param name="listeners">All lanes accept from them.</param>
/// <param name="lanes">How many they are, in this process.</param>
internal sealed class FullLanes(ServerContext context, IReadOnlyList<DoorSocket> listeners, int lanes) : IDisposable
{
    /// <summary>
    /// For so long a connection is at rest before it makes room here, five times as long as where a lane carries many. There are few lanes,
    /// so the limit is reached in everyday use, and a person who types is no attacker. Apache's prefork waits as long (KeepAliveTimeout).
    /// </summary>
    public static readonly TimeSpan LeastRest = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _free = new(lanes);
    private bool _asks;

    /// <summary>A lane carries a connection from here on.</summary>
    public void Take()
    {
        _ = _free.Wait(0);
        context.Admission.Workers?.Carries(MonotonicClock.Now);
    }

    /// <summary>It does no more. Called before the connection's order is answered.</summary>
    public void Free()
    {
        context.Admission.Workers?.CarriesNone();
        _free.Release();
    }

    /// <summary>Looks until the server accepts no more.</summary>
    public Task RunAsync() => context.Options.AtLimit == AtLimit.MakeRoom
        ? SecondTimer.RunAsync(Look, context.Shutdown.AcceptingStopped)
        : Task.CompletedTask;

    public void Dispose() => _free.Dispose();

    private void Look(TimeSpan now)
    {
        int wanted = _free.CurrentCount > 0 ? 0 : Wanted(now);
        if (wanted > 0)
        {
            _asks = true;
            context.AskForRoom(this, _free, wanted, now);
        }
        else if (_asks)
        {
            _asks = false;
            context.Admission.WaitsNoMore(this);
        }
    }

    /// <summary>How many connections of this process are to make room.</summary>
    private int Wanted(TimeSpan now)
    {
        if (context.Admission.Workers is not { } workers)
        {
            return Math.Min(lanes, Waiting());
        }

        TimeSpan rest = TimeSpan.Zero;
        context.Connections.FindAtRest(now, (_, _, found) => rest = found > rest ? found : rest);
        workers.Carries(now - rest);
        return rest >= LeastRest && Waiting() is > 0 and var waiting && workers.IsAmongLongestAtRest(waiting) ? 1 : 0;
    }

    private int Waiting()
    {
        try
        {
            return listeners.Sum(static listener => BacklogReading.ReadListener(listener.Socket, listener.Door.Endpoint).Waiting ?? 0);
        }
        catch (ObjectDisposedException)
        {
            // The server accepts no more.
            return 0;
        }
    }
}
