using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>All that an engine needs to know of one door: what to serve, how, and where to count, log and stop.</summary>
/// <param name="Service">What to serve.</param>
/// <param name="Model">How.</param>
/// <param name="Door">Where, with the actual address.</param>
/// <param name="Connections">The server's bound on connections at once, shared by all its doors.</param>
/// <param name="Ledger">Where to count.</param>
/// <param name="Stop">When to drain and when to abort.</param>
/// <param name="Log">Where to say what goes wrong.</param>
internal sealed record Serving(
    Service Service, ServerModel Model, Endpoint Door, SemaphoreSlim Connections, Ledger Ledger, Stop Stop, ILogger Log)
{
    /// <summary>Socket options to set on each connection accepted: those that it does not inherit.</summary>
    public IReadOnlyList<SocketOptionSetting> AcceptedOptions { get; init; } = [];
}
