using System.Net.Sockets;
using Doorbell.Lanes;
using Doorbell.Lanes.Portable;
using Doorbell.Pipes;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell;

/// <summary>
/// A connection that a program opens and a handler serves: the same handlers as a server's, without a server, on every platform.
/// </summary>
/// <remarks>
/// Any thread may call any member. The handler runs on the thread pool, one call at a time. A client has at most 1,024 connections at
/// once: its own, and those that handlers open (<see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>). One more can't be
/// connected.
/// </remarks>
public sealed class Client : IAsyncDisposable
{
    private const int MaxConnections = 1024;

    private static readonly TimeSpan _defaultDeadline = TimeSpan.FromSeconds(5);

    private static readonly StreamLimits _socketLimits = StreamLimits.Default with
    {
        IdleTimeout = Timeout.InfiniteTimeSpan, FirstByteTimeout = Timeout.InfiniteTimeSpan,
    };

    private readonly Shutdown _shutdown = new();
    private readonly LaneContext _context;
    private readonly AsyncLane _lane;
    private readonly TaskCompletionSource _allOver = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>This connection, and those that its handler has asked for.</summary>
    private int _running = 1;

    private Client(Socket socket, ConnectRequest request)
    {
        _context = new LaneContext(Ledger, _shutdown, NullLogger.Instance) { Outgoing = new OutgoingPlaces(MaxConnections, advice: null) };
        _ = _context.Outgoing.TryAcquire();
        Endpoint = request.Endpoint;
        _lane = new AsyncLane(socket, request, _context, Connect);
        Completion = RunAsync();
    }

    /// <summary>The endpoint that was asked for.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>What has been counted.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>
    /// Ends when the connection has, and those that its handler has opened: with the reason that the handler was told. Does not fail.
    /// </summary>
    public Task<CloseReason> Completion { get; }

    /// <summary>What the handler threw; null if nothing.</summary>
    public Exception? Fault => _lane.Fault;

    /// <summary>Why a layer has failed or refuses the peer; null if none has. Known when the connection has ended.</summary>
    public string? LayerFailure => _lane.LayerFailure;

    /// <summary>Connects, and serves the connection by a handler.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint; a string is parsed.</param>
    /// <param name="handler">The connection's own: its <see cref="StreamHandler.OnOpen"/> may come before this returns.</param>
    /// <exception cref="NetworkException">It can't be resolved, or no address answered.</exception>
    public static Task<Client> ConnectAsync(Endpoint endpoint, StreamHandler handler) =>
        ConnectAsync(endpoint, handler, ConnectOptions.Default, CancellationToken.None);

    /// <summary>Connects, and serves the connection by a handler.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="handler">
    /// The connection's own: its <see cref="StreamHandler.OnOpen"/> may come before this returns. If it can't be connected, the handler is
    /// told <see cref="CloseReason.ConnectFailed"/> before this throws.
    /// </param>
    /// <param name="options">Time-out, limits, and what the transport knows of.</param>
    /// <param name="cancellation">Gives up connecting; afterwards it has no effect.</param>
    /// <exception cref="NetworkException">It can't be resolved, or no address answered; the message lists each and why.</exception>
    /// <exception cref="ArgumentException">The endpoint carries datagrams, or an option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public static async Task<Client> ConnectAsync(
        Endpoint endpoint, StreamHandler handler, ConnectOptions options, CancellationToken cancellation)
    {
        ConnectRequest request = new(endpoint, handler, options);
        Socket socket;
        try
        {
            socket = await AsyncConnect.ConnectAsync(request, request.Timeout, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            request.Fail(ConnectFailures.Of(request, failure), new Ledger());
            throw;
        }

        return new Client(socket, request);
    }

    /// <summary>
    /// Connects, and gives the connection's plain bytes as a socket, for code that has no handler. Returns when all layers are open.
    /// </summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="options">
    /// Time-out, layers, and what the transport knows of. The time-out bounds connecting, and then the opening of the layers. Without
    /// <see cref="ConnectOptions.Limits"/> an idle connection stays.
    /// </param>
    /// <param name="cancellation">Gives up connecting; afterwards it has no effect.</param>
    /// <returns>The socket; the caller owns it.</returns>
    /// <exception cref="NetworkException">It can't be connected, or a layer does not open; the message says why.</exception>
    /// <exception cref="ArgumentException">The endpoint carries datagrams, or an option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public static async Task<LayeredSocket> OpenSocketAsync(
        Endpoint endpoint, ConnectOptions options, CancellationToken cancellation)
    {
        options = options with { Limits = (options.Limits ?? _socketLimits) with { OpeningTimeout = options.Timeout } };
        (LayeredSocket ours, Socket other) = await LayeredSocket.PairAsync(cancellation).ConfigureAwait(false);
        SocketHandler handler = new(other);
        Client? client = null;
        try
        {
            client = await ConnectAsync(endpoint, handler, options, cancellation).ConfigureAwait(false);
            Client opened = client;
            handler.BeforeCut = reason => ours.Failure = Words(reason, opened.LayerFailure);
            _ = await Task.WhenAny(handler.Opened, client.Completion).WaitAsync(cancellation).ConfigureAwait(false);
            if (!handler.Opened.IsCompletedSuccessfully)
            {
                CloseReason reason = await client.Completion.ConfigureAwait(false);
                throw NotOpened(endpoint, options, reason, client.LayerFailure);
            }

            ours.Peer = (await handler.Opened.ConfigureAwait(false)).Peer;
            ours.Completion = CarryAsync(client, handler, other);
            return ours;
        }
        catch
        {
            other.Dispose();
            ours.Dispose();
            _ = client?.CloseAsync(TimeSpan.Zero);
            throw;
        }
    }

    /// <summary>
    /// Ends the connection in order: the handler is told <see cref="StreamHandler.OnDrain"/>, what is half done is finished
    /// (<see cref="StreamHandler.IsIdle"/>), and what is left at the deadline is reset.
    /// </summary>
    /// <param name="deadline">How long to wait; <see cref="TimeSpan.Zero"/> for not at all.</param>
    /// <returns>Ends when the connection has.</returns>
    public async Task CloseAsync(TimeSpan deadline)
    {
        _shutdown.Drain();
        try
        {
            await Completion.WaitAsync(deadline).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _shutdown.Abort();
            await Completion.ConfigureAwait(false);
        }
    }

    /// <summary>Ends the connection within 5 seconds; see <see cref="CloseAsync"/>. May be called any number of times.</summary>
    public async ValueTask DisposeAsync() => await CloseAsync(_defaultDeadline).ConfigureAwait(false);

    private async Task<CloseReason> RunAsync()
    {
        // On the thread pool, so that nothing of it depends on the thread that connected.
        await Task.Run(_lane.RunAsync).ConfigureAwait(false);
        Over();
        await _allOver.Task.ConfigureAwait(false);
        return _lane.Reason;
    }

    private static async Task CarryAsync(Client client, SocketHandler handler, Socket other)
    {
        _ = await client.Completion.ConfigureAwait(false);
        await handler.Completion.ConfigureAwait(false);
        other.Dispose();
        await client.DisposeAsync().ConfigureAwait(false);
    }

    private static NetworkException NotOpened(Endpoint endpoint, ConnectOptions options, CloseReason reason, string? failure)
    {
        bool isLate = reason == CloseReason.OpeningTimeout;
        string what = failure ?? (isLate
            ? $"it was connected, and no whole answer to the handshake came within {options.Timeout.TotalSeconds:0.###} s"
            : $"it was connected, and the server ended the connection in the handshake ({reason})");
        return new NetworkException(
            "connect", endpoint.ToString(), what, isLate ? SocketError.TimedOut : SocketError.ProtocolNotSupported);
    }

    private static string Words(CloseReason reason, string? failure) => reason switch
    {
        CloseReason.Truncated => "the connection was cut off: it ended without the end that TLS has (close_notify)",
        _ => failure ?? $"the connection was cut off ({reason})",
    };

    private void Connect(ConnectRequest request)
    {
        Interlocked.Increment(ref _running);
        _ = ConnectAsync(request);
    }

    private async Task ConnectAsync(ConnectRequest request)
    {
        await AsyncConnect.RunAsync(request, _context, Connect).ConfigureAwait(false);
        Over();
    }

    private void Over()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _allOver.SetResult();
        }
    }
}
