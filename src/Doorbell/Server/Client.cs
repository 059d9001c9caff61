using System.Net.Sockets;
using Doorbell.Lanes;
using Doorbell.Lanes.Portable;
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
