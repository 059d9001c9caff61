namespace Doorbell.Tests;

/// <summary>A server for one test, on one door of its own.</summary>
internal sealed class Running : IAsyncDisposable
{
    private Running(Server server) => Server = server;

    public Server Server { get; }

    public Endpoint Endpoint => Server.Doors[0].Endpoint;

    public LedgerSnapshot Counts => Server.Ledger.Read();

    /// <param name="service">What to serve.</param>
    /// <param name="transport">tcp, unix, udp or unix+dgram.</param>
    /// <param name="maxConnections">At once.</param>
    /// <param name="model">A server model's name; null for the default.</param>
    /// <param name="change">What the options should have besides.</param>
    public static async Task<Running> StartAsync(
        Service service,
        string transport = "tcp",
        int maxConnections = 10_000,
        string? model = null,
        Func<ServerOptions, ServerOptions>? change = null)
    {
        string endpoint = transport.StartsWith("unix", StringComparison.Ordinal)
            ? $"{transport}://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}"
            : $"{transport}://127.0.0.1:0";
        ServerOptions options = new()
        {
            Service = service,
            Endpoints = [Endpoint.Parse(endpoint)],
            MaxConnections = maxConnections,
            Model = model is null ? null : ServerModel.Named(model),
        };
        return new Running(await Server.StartAsync(change?.Invoke(options) ?? options));
    }

    public Peer Connect() => new(Endpoint);

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
