namespace Doorbell;

/// <summary>System.Net.Sockets: runs on every platform .NET runs on.</summary>
internal sealed class PortableEngine : IEngine
{
    public string Name => "portable";

    public string? Refuses(ServerModel model) =>
        model.Lane == LaneKind.Task ? null : $"the portable engine has no lanes of kind {model.Lane}";

    public Task ServeStreamsAsync(IReadOnlyList<BoundSocket> listeners, Serving serving) =>
        Task.WhenAll(listeners.Select(listener => new AsyncListener(listener, serving).RunAsync()));

    public Task ServeDatagramsAsync(BoundSocket socket, Serving serving) => new AsyncDatagramLane(socket, serving).RunAsync();
}
