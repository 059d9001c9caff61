using Doorbell.Lanes.Portable;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Engines;

/// <summary>System.Net.Sockets: runs on every platform .NET runs on.</summary>
internal sealed class PortableEngine : IEngine
{
    public string Name => "portable";

    public string? Refuses(ServerModel model) =>
        model.Lane == LaneKind.Task ? null : $"the portable engine has no lanes of kind {model.Lane}";

    // On the thread pool, so that nothing of it depends on the thread that started the server.
    public Task ServeAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context) => Task.WhenAll(sockets.Select(socket => Task.Run(() =>
        socket.IsListener ? new AsyncListener(socket, context).RunAsync() : new AsyncDatagramLane(socket, context).RunAsync())));
}
