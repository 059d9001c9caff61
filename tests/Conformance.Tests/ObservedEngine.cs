using Doorbell.Serving;
using Doorbell.SocketOptions;
using Doorbell.Sockets;

namespace Doorbell.Tests;

/// <summary>An engine, and what its server has given it: a test looks at the admission.</summary>
internal sealed class ObservedEngine(IEngine engine) : IEngine
{
    public string Name => engine.Name;

    /// <summary>How many more connections may come in.</summary>
    public int LeasesLeft => _context!.Admission.LeasesLeft;

    /// <summary>Options for each connection accepted, beside those that the server has asked for and tried.</summary>
    public SocketOptionSetting[] UntriedOptions { get; init; } = [];

    private ServerContext? _context;

    public bool StartsProcesses => engine.StartsProcesses;

    public string? Refuses(ServerModel model) => engine.Refuses(model);

    public Task ServeAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context)
    {
        _context = context;
        return engine.ServeAsync([.. sockets.Select(WithUntried)], context);
    }

    private DoorSocket WithUntried(DoorSocket bound)
    {
        bool isTcp = bound.IsListener && !bound.Door.Endpoint.IsUnix;
        return isTcp ? bound with { AcceptedOptions = [.. bound.AcceptedOptions, .. UntriedOptions] } : bound;
    }
}
