namespace Doorbell;

/// <summary>System.Net.Sockets: runs on every platform .NET runs on.</summary>
internal sealed class PortableEngine : IEngine
{
    public string Name => "portable";

    public string? Refuses(ServerModel model) =>
        model.Lane == LaneKind.Task ? null : $"the portable engine has no lanes of kind {model.Lane}";

    // On the thread pool, so that nothing of it depends on the thread that started the server.
    public Task ServeAsync(IReadOnlyList<BoundSocket> sockets, Serving serving) => Task.WhenAll(sockets.Select(socket => Task.Run(() =>
        socket.IsListener ? new AsyncListener(socket, serving).RunAsync() : new AsyncDatagramLane(socket, serving).RunAsync())));
}
