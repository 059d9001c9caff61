using Doorbell.Engines;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>A server for one test, on one door of its own.</summary>
internal sealed class Running : IAsyncDisposable
{
    private readonly ObservedEngine _engine;

    private Running(Server server, ObservedEngine engine)
    {
        Server = server;
        _engine = engine;
    }

    /// <summary>The native executable that <c>./test</c> publishes.</summary>
    public static string Command { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../native/doorbell"));

    public Server Server { get; }

    public Endpoint Endpoint => Server.Doors[0].Endpoint;

    /// <summary>How many more connections may come in.</summary>
    public int LeasesLeft => _engine.LeasesLeft;

    public LedgerSnapshot Counts => Server.Ledger.Read();

    /// <param name="service">What to serve.</param>
    /// <param name="transport">tcp, unix, udp or unix+dgram.</param>
    /// <param name="maxConnections">At once; null for the default.</param>
    /// <param name="model">A server model's name; null for the default.</param>
    /// <param name="change">What the options should have besides.</param>
    /// <param name="settings">How the engine is made.</param>
    /// <param name="untriedOption">A socket option for each TCP connection accepted that is not tried at the start.</param>
    /// <param name="workerArguments">Worker processes are the command's, which takes its limits from its arguments: these too.</param>
    public static async Task<Running> StartAsync(
        Service service,
        string transport = "tcp",
        int? maxConnections = null,
        string? model = null,
        Func<ServerOptions, ServerOptions>? change = null,
        Func<EngineSettings, EngineSettings>? settings = null,
        string? untriedOption = null,
        params string[] workerArguments)
    {
        string endpoint = transport.StartsWith("unix", StringComparison.Ordinal)
            ? $"{transport}://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}"
            : $"{transport}://127.0.0.1:0";
        ServerOptions options = new()
        {
            Service = service,
            Endpoints = [Endpoint.Parse(endpoint)],
            Model = model is null ? null : ServerModel.Named(model.Split('/')[0]),
            Engine = Models.EngineOf(model ?? ""),
        };
        options = maxConnections is { } most ? options with { MaxConnections = most } : options;
        EngineSettings made = EngineSettings.Default;
        if (model is "process" or "prefork")
        {
            // The workers are the command's own: it knows the same service by the same name.
            made = made with
            {
                WorkerCommand = [Command, "doorbell", "serve", service.Name, endpoint, "--model", model, .. workerArguments],
            };
        }

        made = settings?.Invoke(made) ?? made;
        ObservedEngine? observed = null;
        Server server = await Server.StartAsync(
            change?.Invoke(options) ?? options,
            (kind, of) =>
            {
                EngineChoice choice = EngineChoice.For(kind, of, made);
                observed = new ObservedEngine(choice.Engine)
                {
                    UntriedOptions = untriedOption is null ? [] : [SocketOptionSetting.Parse(untriedOption)],
                };
                return choice with { Engine = observed };
            },
            CancellationToken.None);
        return new Running(server, observed!);
    }

    public Peer Connect() => new(Endpoint);

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
