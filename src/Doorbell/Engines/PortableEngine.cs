using Doorbell.Lanes;
using Doorbell.Lanes.Portable;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Engines;

/// <summary>System.Net.Sockets: runs on every platform .NET runs on.</summary>
internal sealed class PortableEngine : IEngine
{
    public string Name => "portable";

    public bool StartsProcesses => false;

    public string? Refuses(ServerModel model) =>
        model.Lane == LaneKind.Task ? null : $"the portable engine serves the model async alone, not {model.Name}";

    // On the thread pool, so that nothing of it depends on the thread that started the server.
    public Task ServeAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context) => Task.WhenAll(sockets.Select(socket => Task.Run(() =>
        socket.IsListener ? ServeConnectionsAsync(socket, context) : ServeDatagramsAsync(socket, context))));

    private static Task ServeConnectionsAsync(DoorSocket socket, ServerContext context) =>
        new AsyncListener(socket, new SharedSockets([socket], lanes: 1), context).RunAsync();

    private static async Task ServeDatagramsAsync(DoorSocket socket, ServerContext context)
    {
        SharedSockets shared = new([socket], lanes: 1);
        try
        {
            await new AsyncDatagramLane(socket, context).RunAsync().ConfigureAwait(false);
        }
        finally
        {
            shared.Leave();
        }
    }
}
