using System.Net;
using System.Net.Sockets;
using Doorbell.Lanes.Portable;
using Doorbell.Serving;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell;

/// <summary>
/// A client's datagram socket, connected to one peer and carried by a lane of its own: the same <see cref="DatagramHandler"/> types that
/// serve also ask. The kernel passes only that peer's datagrams, and the handler learns when nobody listens there
/// (<see cref="DatagramHandler.OnUnreachable"/>). It needs no server. Thread-safe.
/// </summary>
/// <remarks>
/// The handler is called on the thread pool, one call at a time. Datagrams to the peer have no amplification bound, as we chose the peer.
/// </remarks>
public sealed class DatagramConnection : IAsyncDisposable, IDisposable
{
    private static readonly DatagramLimits _limits = DatagramLimits.Default with { MaxAmplification = 0 };

    private readonly Shutdown _shutdown = new();
    private readonly Ledger _ledger = new();
    private NetworkException? _lastFailure;

    private DatagramConnection(
        Endpoint endpoint, EndPoint address, Func<DatagramSocketInfo, DatagramHandler> newHandler, ClientOptions options)
    {
        Socket socket = Connector.ConnectDatagrams(endpoint, address, options);
        try
        {
            Endpoint = endpoint;
            Peer = address is IPEndPoint ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(endpoint.Path);
            AsyncDatagramSocket carried = new(socket, endpoint, _limits, _ledger, _shutdown, NullLogger.Instance)
            {
                Peer = socket.Connected ? Peer : default,
                MayClose = true,
                Unreachable = failure => _lastFailure = NetworkException.From("send", endpoint.ToString(), failure),
            };
            AsyncDatagramLane lane = new(carried, newHandler(new DoorSocketInfo(endpoint, Peer)));
            Completion = Task.Run(lane.RunAsync);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The endpoint asked for.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>The address that is asked: the socket is connected to it, unless it is a group's or a broadcast address.</summary>
    public PeerAddress Peer { get; }

    /// <summary>What has been received, sent and lost so far.</summary>
    public LedgerSnapshot Counts => _ledger.Read();

    /// <summary>Why the peer could not be reached when the handler was last told so; null if it never was.</summary>
    public NetworkException? LastFailure => Volatile.Read(ref _lastFailure);

    /// <summary>Ends when the socket is closed and the handler has been told.</summary>
    public Task Completion { get; }

    /// <summary>Resolves the endpoint and opens a socket to the first of its addresses to which the system has a route.</summary>
    /// <param name="endpoint">A UDP or unix datagram endpoint.</param>
    /// <param name="newHandler">Makes the socket's handler.</param>
    /// <param name="timeout">Bounds resolving.</param>
    /// <param name="options">How to make the socket.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">The name can't be resolved, there is no route, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">The endpoint carries streams, or an option has no effect on it.</exception>
    public static async Task<DatagramConnection> OpenAsync(
        Endpoint endpoint,
        Func<DatagramSocketInfo, DatagramHandler> newHandler,
        TimeSpan timeout,
        ClientOptions options,
        CancellationToken cancellation)
    {
        EndPoint[] addresses = await Connector.AddressesAsync(endpoint, timeout, options, cancellation).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            try
            {
                return Open(endpoint, addresses[i], newHandler, options);
            }
            catch (NetworkException) when (i + 1 < addresses.Length)
            {
                // The next address may have a route.
            }
        }
    }

    /// <summary>Opens a socket to one address of an endpoint. Nothing is sent but what the handler sends.</summary>
    /// <param name="endpoint">A UDP or unix datagram endpoint, to name in errors.</param>
    /// <param name="address">
    /// One of its addresses, as <see cref="Connector.AddressesAsync(Endpoint, TimeSpan, ClientOptions, CancellationToken)"/> gives them.
    /// </param>
    /// <param name="newHandler">Makes the socket's handler.</param>
    /// <param name="options">How to make the socket.</param>
    /// <exception cref="NetworkException">There is no route, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">The endpoint carries streams, or an option has no effect on it.</exception>
    public static DatagramConnection Open(
        Endpoint endpoint, EndPoint address, Func<DatagramSocketInfo, DatagramHandler> newHandler, ClientOptions options)
    {
        if (endpoint.IsStream)
        {
            throw new ArgumentException($"{endpoint} carries a stream, and no datagrams", nameof(endpoint));
        }

        return new DatagramConnection(endpoint, address, newHandler, options);
    }

    /// <summary>
    /// Tells the handler to drain and closes the socket when it is idle (<see cref="DatagramHandler.IsIdle"/>), at the latest after
    /// <paramref name="deadline"/>.
    /// </summary>
    /// <param name="deadline">From now on.</param>
    public async Task DrainAsync(TimeSpan deadline)
    {
        _shutdown.Drain();
        await Task.WhenAny(Completion, Task.Delay(deadline)).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Begins to close the socket, and does not wait; see <see cref="Completion"/>. Later calls do nothing.</summary>
    public void Dispose()
    {
        _shutdown.Drain();
        _shutdown.Abort();
    }

    /// <summary>Closes the socket, and waits until the handler has been told. Later calls do nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await Completion.ConfigureAwait(false);
    }
}
