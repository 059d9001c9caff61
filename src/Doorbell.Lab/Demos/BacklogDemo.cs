using System.Diagnostics;

namespace Doorbell.Lab.Demos;

/// <summary>A busy iterative server with a small backlog, and more clients at once than fit: who waits, who has to try again.</summary>
public sealed class BacklogDemo : IDisposable
{
    /// <summary>What listen(2) is asked for.</summary>
    public const int Backlog = 5;

    /// <summary>How many clients connect at once.</summary>
    public const int Clients = 20;

    /// <summary>A kernel that doubles its pauses from the first sends a SYN at 1, 3 and 7 s; so long it may take.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan _glance = TimeSpan.FromMilliseconds(500);

    private readonly ListenCounters? _before = ListenCounters.Read();
    private readonly TextbookServer _server = new(Backlog);

    /// <summary>How long the server works for each client.</summary>
    public static TimeSpan Work => TextbookServer.Work;

    /// <summary>Where the server listens.</summary>
    public Endpoint Endpoint => Endpoint.From(Transport.Tcp, _server.Address);

    /// <summary>Lets all clients connect at once and waits until each has been answered or has given up.</summary>
    /// <param name="glance">Told the backlog twice a second meanwhile, with the time since the beginning.</param>
    public async Task<BacklogResult> RunAsync(Action<TimeSpan, BacklogReading> glance)
    {
        using CancellationTokenSource patience = new(_patience);
        BacklogClient[] clients = [.. Enumerable.Range(0, Clients).Select(static _ => new BacklogClient())];
        Task all = Task.WhenAll(clients.Select(client => client.RunAsync(_server, patience.Token)));
        int maxWaiting = 0;
        long begun = Stopwatch.GetTimestamp();
        do
        {
            BacklogReading reading = _server.Backlog();
            maxWaiting = Math.Max(maxWaiting, reading.Waiting ?? 0);
            glance(Stopwatch.GetElapsedTime(begun), reading);
            await Task.WhenAny(all, Task.Delay(_glance));
        }
        while (!all.IsCompleted);
        await all;
        return new BacklogResult(clients, maxWaiting, _server.Backlog(), _before, ListenCounters.Read());
    }

    /// <summary>Ends the server.</summary>
    public void Dispose() => _server.Dispose();
}

/// <summary>What became of the clients of a <see cref="BacklogDemo"/>.</summary>
/// <param name="Clients">Each client, in the order of their start.</param>
/// <param name="MaxWaiting">The longest queue that was seen.</param>
/// <param name="Last">The listener at the end.</param>
/// <param name="Before">The network namespace's counters at the start; null off Linux.</param>
/// <param name="After">The same at the end.</param>
public sealed record BacklogResult(
    IReadOnlyList<BacklogClient> Clients, int MaxWaiting, BacklogReading Last, ListenCounters? Before, ListenCounters? After);
