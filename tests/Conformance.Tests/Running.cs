namespace Doorbell.Tests;

/// <summary>A server for one test, on one door of its own.</summary>
internal sealed class Running : IAsyncDisposable
{
    private Running(Server server) => Server = server;

    /// <summary>The native executable that <c>./test</c> publishes.</summary>
    public static string Command { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../native/doorbell"));

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
            Model = model is null ? null : ServerModel.Named(model.Split('/')[0]),
            Engine = Models.EngineOf(model ?? ""),
        };
        if (model is "process" or "prefork")
        {
            // The workers are the command's own: it knows the same service by the same name.
            options = options with { WorkerCommand = [Command, "doorbell", "serve", service.Name, endpoint, "--model", model] };
        }

        return new Running(await Server.StartAsync(change?.Invoke(options) ?? options));
    }

    public Peer Connect() => new(Endpoint);

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
