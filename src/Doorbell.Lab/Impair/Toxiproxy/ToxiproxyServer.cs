using Doorbell.Lab.Http;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>
/// Serves toxiproxy's HTTP API: programs that test with toxiproxy make and rule impairing proxies by it, over their own client.
/// </summary>
public sealed class ToxiproxyServer : IAsyncDisposable
{
    /// <summary>Where toxiproxy's clients look for it.</summary>
    public const int DefaultPort = 8474;

    private const int MaxConnections = 64;

    /// <summary>A client that says nothing for so long makes room for others. It may connect again.</summary>
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(10);

    private readonly Server _server;
    private readonly ToxiproxyApi _api;

    private ToxiproxyServer(Server server, ToxiproxyApi api) => (_server, _api) = (server, api);

    /// <summary>Where it listens, with the actual addresses and ports.</summary>
    public IReadOnlyList<Endpoint> Endpoints => [.. _server.Doors.Select(static door => door.Endpoint)];

    /// <summary>Begins to serve. There are no proxies at first.</summary>
    /// <param name="endpoint">Where; whoever reaches it rules the proxies.</param>
    /// <param name="seed">Of all chances.</param>
    /// <param name="report">Told in one line what the user should know; null for nobody.</param>
    /// <param name="stop">Ends the start.</param>
    /// <returns>The server, listening. Its owner disposes it.</returns>
    /// <exception cref="ArgumentException">It is an endpoint of datagrams.</exception>
    /// <exception cref="NetworkException">The endpoint can't be had.</exception>
    public static async Task<ToxiproxyServer> StartAsync(Endpoint endpoint, long seed, Action<string>? report, CancellationToken stop)
    {
        if (!endpoint.IsStream)
        {
            throw new ArgumentException($"ToxiproxyServer takes a stream's endpoint, as in tcp://localhost:{DefaultPort}, not {endpoint}");
        }

        ToxiproxyApi api = new(seed, endpoint.Host, report);
        Service service = Service.Stream(
            "toxiproxy", connection => HttpConversation.ServeAsync(connection, api.AnswerAsync, JsonText.Refusal));
        try
        {
            Server server = await Server.StartAsync(
                new ServerOptions
                {
                    Service = service with
                    {
                        StreamLimits = service.StreamLimits with { IdleTimeout = _idle, FirstByteTimeout = _idle },
                    },
                    Endpoints = [endpoint],
                    Model = ServerModel.Async,
                    MaxConnections = MaxConnections,
                    HasPrivateSockets = true,
                },
                stop).ConfigureAwait(false);
            return new ToxiproxyServer(server, api);
        }
        catch
        {
            await api.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Serves until it is stopped.</summary>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public Task RunAsync(CancellationToken stop) => _server.RunAsync(TimeSpan.Zero, stop);

    /// <summary>Ends it and all its proxies, whose connections are reset.</summary>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync().ConfigureAwait(false);
        await _api.DisposeAsync().ConfigureAwait(false);
    }
}
