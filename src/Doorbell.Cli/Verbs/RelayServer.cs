using Doorbell.Cli.Ends;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>A relay that is a server: it listens until a signal, and drains then.</summary>
internal static class RelayServer
{
    /// <param name="options">What it serves.</param>
    /// <param name="report">Told where it listens, and at the end what it has counted.</param>
    /// <param name="upstreams">Where it connects to.</param>
    /// <param name="drain">How long what is in flight may go on.</param>
    /// <param name="ends">What has counted the ends that the server knows nothing of; null if it knows all.</param>
    /// <param name="over">Ends it as a signal does.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(
        ServerOptions options, RelayReport report, Endpoint[] upstreams, TimeSpan drain, RelayedEnds? ends,
        CancellationToken over = default)
    {
        StopSignals.Listen();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(StopSignals.First, over);
        await using Server server = await Server.StartAsync(options, StopSignals.First);
        Task watching = report.Tls?.WatchAsync(Failure.Say, StopSignals.First) ?? Task.CompletedTask;
        if (Server.IsWorker)
        {
            // The parent says all there is to say.
            await server.Completion;
            return 0;
        }

        await RelayLoops.RequireNoneAsync(server.Doors, upstreams, StopSignals.First);
        report.Listening(server);
        ReadyNotice.Ready();
        await using CancellationTokenRegistration stopping = StopSignals.First.Register(ReadyNotice.Stopping);
        await using CancellationTokenRegistration now = StopSignals.Second.Register(() => _ = server.DrainAsync(TimeSpan.Zero));
        await server.RunAsync(drain, stop.Token);
        LedgerSnapshot counts = server.Ledger.Read();
        report.Summary(
            counts,
            ends?.Came ?? counts.ConnectionsOpened,
            ends?.Opened ?? counts.ConnectionsConnected,
            ends?.Failed ?? counts.ConnectFailures,
            ends?.Lost ?? 0);
        return 0;
    }
}
