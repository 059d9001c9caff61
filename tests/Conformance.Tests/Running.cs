namespace Doorbell.Tests;

/// <summary>A server for one test, on one door of its own.</summary>
internal sealed class Running : IAsyncDisposable
{
    private Running(Server server) => Server = server;

    public Server Server { get; }

    public Endpoint Endpoint => Server.Doors[0].Endpoint;

    public LedgerSnapshot Counts => Server.Ledger.Read();

    /// <param name="transport">tcp, unix, udp or unix+dgram.</param>
    public static async Task<Running> StartAsync(Service service, string transport = "tcp", int maxConnections = 10_000)
    {
        string endpoint = transport.StartsWith("unix", StringComparison.Ordinal)
            ? $"{transport}://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}"
            : $"{transport}://127.0.0.1:0";
        return new Running(await Server.StartAsync(new ServerOptions
        {
            Service = service,
            Endpoints = [Endpoint.Parse(endpoint)],
            MaxConnections = maxConnections,
        }));
    }

    public Peer Connect() => new(Endpoint);

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
