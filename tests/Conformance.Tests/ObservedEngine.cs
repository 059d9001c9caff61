using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Tests;

/// <summary>An engine, and what its server has given it: a test looks at the admission.</summary>
internal sealed class ObservedEngine(IEngine engine) : IEngine
{
    public string Name => engine.Name;

    /// <summary>How many more connections may come in.</summary>
    public int LeasesLeft => _context!.Admission.LeasesLeft;

    private ServerContext? _context;

    public bool StartsProcesses => engine.StartsProcesses;

    public string? Refuses(ServerModel model) => engine.Refuses(model);

    public Task ServeAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context)
    {
        _context = context;
        return engine.ServeAsync(sockets, context);
    }
}
