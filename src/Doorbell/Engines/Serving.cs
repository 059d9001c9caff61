using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>All that an engine needs to know: what to serve, how, and where to count, log and stop.</summary>
/// <param name="Service">What to serve.</param>
/// <param name="Model">How.</param>
/// <param name="Admission">Who may come in, over all doors.</param>
/// <param name="Ledger">Where to count.</param>
/// <param name="Stop">When to drain and when to abort.</param>
/// <param name="Log">Where to say what goes wrong.</param>
internal sealed record Serving(Service Service, ServerModel Model, Admission Admission, Ledger Ledger, Stop Stop, ILogger Log);
