using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell;

/// <summary>A running server: its doors, its ledger, its end.</summary>
/// <remarks>Any thread may call any member.</remarks>
public sealed class Server : IAsyncDisposable
{
    private readonly Stop _stop = new();
    private readonly SemaphoreSlim _connections;

    private Server(ServerOptions options, List<BoundSocket> sockets)
    {
        _connections = new SemaphoreSlim(options.MaxConnections);
        Doors = [.. sockets.Select(static bound => bound.Door)];
        SocketOptions = [.. sockets.SelectMany(static bound => bound.Options)];
        ILogger log = (options.Logging ?? NullLoggerFactory.Instance).CreateLogger("doorbell");
        PortableEngine engine = new();
        Completion = Task.WhenAll(sockets.Select(bound =>
        {
            Serving serving = new(options.Service, options.Model, bound.Door.Endpoint, _connections, Ledger, _stop, log)
            {
                AcceptedOptions = bound.AcceptedOptions,
            };

            // On the thread pool, so that nothing of it depends on the thread that started the server.
            return Task.Run(() => ServeAsync(engine, bound, serving));
        }));
    }

    /// <summary>The sockets being served, with their actual addresses.</summary>
    public IReadOnlyList<Door> Doors { get; }

    /// <summary>What the kernel made of the socket options asked for, on each listener and datagram socket.</summary>
    public IReadOnlyList<SocketOptionOutcome> SocketOptions { get; }

    /// <summary>What has been counted.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>Ends when all is drained or aborted; fails if a listener does.</summary>
    public Task Completion { get; }

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="service">What to serve.</param>
    /// <param name="endpoints">Where, as <see cref="Endpoint.Parse"/> takes them.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="FormatException">An endpoint can't be parsed.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static Task<Server> StartAsync(Service service, params string[] endpoints) =>
        StartAsync(new ServerOptions { Service = service, Endpoints = [.. endpoints.Select(Endpoint.Parse)] });

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="options">What, where and how.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="ArgumentException">The options don't fit together.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static Task<Server> StartAsync(ServerOptions options) => StartAsync(options, CancellationToken.None);

    /// <summary>Binds every endpoint and begins to serve.</summary>
    /// <param name="options">What, where and how.</param>
    /// <param name="cancellation">Ends the wait for name resolution.</param>
    /// <returns>The server, listening.</returns>
    /// <exception cref="ArgumentException">The options don't fit together.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound; then none is.</exception>
    public static async Task<Server> StartAsync(ServerOptions options, CancellationToken cancellation)
    {
        options.Validate();
        List<BoundSocket> sockets = [];
        try
        {
            foreach (Endpoint endpoint in options.Endpoints)
            {
                sockets.AddRange(await Binding.BindAsync(endpoint, options.SocketOptions, cancellation).ConfigureAwait(false));
            }

            ServerSocketOptions.RequireUse(options.SocketOptions, sockets);
        }
        catch
        {
            foreach (BoundSocket bound in sockets)
            {
                bound.Socket.Dispose();
                if (bound.Door.Endpoint.IsUnix)
                {
                    UnixBinding.RemoveIfStale(bound.Door.Endpoint);
                }
            }

            throw;
        }

        return new Server(options, sockets);
    }

    /// <summary>
    /// Stops accepting, lets what is in flight be answered, and after <paramref name="deadline"/> aborts what is left. May be
    /// called again with a shorter deadline.
    /// </summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    public async Task DrainAsync(TimeSpan deadline)
    {
        _stop.Drain();
        if (await Task.WhenAny(Completion, Task.Delay(deadline)).ConfigureAwait(false) != Completion)
        {
            _stop.Abort();
        }

        await Completion.ConfigureAwait(false);
    }

    /// <summary>Serves until <paramref name="stop"/> is cancelled, then drains.</summary>
    /// <param name="drain">The drain's deadline.</param>
    /// <param name="stop">When to stop.</param>
    public async Task RunAsync(TimeSpan drain, CancellationToken stop)
    {
        Task stopped = Task.Delay(Timeout.Infinite, stop);
        if (await Task.WhenAny(Completion, stopped).ConfigureAwait(false) == stopped)
        {
            await DrainAsync(drain).ConfigureAwait(false);
        }

        await Completion.ConfigureAwait(false);
    }

    private static async Task ServeAsync(PortableEngine engine, BoundSocket bound, Serving serving)
    {
        Endpoint door = bound.Door.Endpoint;
        try
        {
            await (door.IsStream ? engine.ServeStreamsAsync(bound.Socket, serving) : engine.ServeDatagramsAsync(bound.Socket, serving))
                .ConfigureAwait(false);
        }
        finally
        {
            if (door.IsUnix)
            {
                UnixBinding.RemoveIfStale(door);
            }
        }
    }

    /// <summary>Aborts what is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero).ConfigureAwait(false);
        _stop.Dispose();
        _connections.Dispose();
    }
}
