using Doorbell.Cli.Ends;
using Doorbell.Cli.Printing;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary>A relay that is no server of sockets: of what is open once, or of vsock.</summary>
internal static class OneRelay
{
    /// <summary>Relays one end, such as a terminal, to its end or the other's.</summary>
    /// <param name="target">Which.</param>
    /// <param name="ends">Where it goes on to.</param>
    /// <param name="report">Told when both are open.</param>
    /// <param name="idle">It ends if no byte moves for so long; null for never.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(EndTarget target, RelayedEnds ends, RelayReport report, TimeSpan? idle)
    {
        StopSignals.Listen();
        try
        {
            await using OpenEnd from = await target.OpenAsync(ends.Opening, StopSignals.First);
            OpenEnd to = await ends.OpenAsync(StopSignals.First);
            report.Listening(target.Name);
            ReadyNotice.Ready();
            string? failure = await ends.JoinAsync(from, to, idle, StopSignals.First);
            return failure is null ? 0 : Failure.Network(failure);
        }
        catch (OperationCanceledException) when (StopSignals.First.IsCancellationRequested)
        {
            return 0;
        }
    }

    /// <summary>Relays the connections of a vsock listener until a signal.</summary>
    /// <param name="target">Where it listens.</param>
    /// <param name="ends">Where they go on to.</param>
    /// <param name="report">Told when it listens.</param>
    /// <param name="idle">A connection ends if no byte moves for so long.</param>
    /// <param name="drain">How long what is open may go on after the signal.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> ServeAsync(VsockTarget target, RelayedEnds ends, RelayReport report, TimeSpan idle, TimeSpan drain)
    {
        StopSignals.Listen();
        using StreamDescriptor listener = target.Listen();
        report.Listening(target.Name);
        ReadyNotice.Ready();
        using VsockRelay relay = new(target, listener, ends);
        await relay.RunAsync(idle, drain, StopSignals.First);
        return 0;
    }
}
