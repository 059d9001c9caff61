using System.Net;
using System.Net.Sockets;

namespace Doorbell;

/// <summary>Opens clients of request/response protocols over datagrams.</summary>
public static class RequestClient
{
    /// <summary>Resolves the name and opens a socket; nothing is sent yet.</summary>
    /// <typeparam name="TRequest">What is asked.</typeparam>
    /// <typeparam name="TResponse">What is answered.</typeparam>
    /// <param name="endpoint">A UDP or unix datagram endpoint.</param>
    /// <param name="newHandler">Makes the protocol's handler, one for each socket: the next address of a name gets another.</param>
    /// <param name="timeout">Bounds resolving.</param>
    /// <param name="options">How to make the sockets.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">The name can't be resolved, there is no route, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">The endpoint carries streams, or an option has no effect on it.</exception>
    public static async Task<RequestClient<TRequest, TResponse>> ConnectAsync<TRequest, TResponse>(
        Endpoint endpoint,
        Func<DatagramSocketInfo, RequestHandler<TRequest, TResponse>> newHandler,
        TimeSpan timeout,
        ClientOptions options,
        CancellationToken cancellation)
    {
        EndPoint[] addresses = await Connector.AddressesAsync(endpoint, timeout, options, cancellation).ConfigureAwait(false);
        return new RequestClient<TRequest, TResponse>(endpoint, addresses, newHandler, options);
    }
}

/// <summary>
/// A client of one server of a request/response protocol over datagrams: requests with time-outs and cancellation. If the server's address
/// refuses before anything has come from it, the name's next address is asked. Thread-safe.
/// </summary>
/// <typeparam name="TRequest">What is asked.</typeparam>
/// <typeparam name="TResponse">What is answered.</typeparam>
public sealed class RequestClient<TRequest, TResponse> : IDisposable, IAsyncDisposable
{
    private readonly Endpoint _endpoint;
    private readonly EndPoint[] _addresses;
    private readonly Func<DatagramSocketInfo, RequestHandler<TRequest, TResponse>> _newHandler;
    private readonly ClientOptions _options;
    private readonly Lock _lock = new();
    private Asked _current;
    private bool _isDisposed;

    internal RequestClient(
        Endpoint endpoint,
        EndPoint[] addresses,
        Func<DatagramSocketInfo, RequestHandler<TRequest, TResponse>> newHandler,
        ClientOptions options)
    {
        _endpoint = endpoint;
        _addresses = addresses;
        _newHandler = newHandler;
        _options = options;
        _current = Open(0);
    }

    /// <summary>The address that is asked; a name's next one is taken while each refuses.</summary>
    public PeerAddress Peer => _current.Connection.Peer;

    /// <summary>What a round trip takes, as measured and smoothed; zero while it is unknown.</summary>
    public TimeSpan RoundTrip => _current.Handler.RoundTrip;

    /// <summary>Asks and waits for the response.</summary>
    /// <param name="request">What to ask; not to be changed before the response.</param>
    /// <param name="timeout">Bounds all of it.</param>
    /// <param name="cancellation">Gives up; whether the request had its effect is then unknown.</param>
    /// <exception cref="NetworkException">No response in time or none that can be used, or nobody listens.</exception>
    /// <exception cref="InvalidOperationException">As many requests as the protocol's limits allow wait for their responses.</exception>
    /// <exception cref="ArgumentException">The request can't be sent.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed first.</exception>
    public async Task<TResponse> AskAsync(TRequest request, TimeSpan timeout, CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        while (true)
        {
            Asked asked = _current;
            try
            {
                RequestOutcome<TResponse> outcome = await AskAsync(asked.Handler, request, deadline.Token).ConfigureAwait(false);
                if (outcome.TryGet(out TResponse? response, out RequestFailure? failure))
                {
                    return response;
                }

                if (!TryNextAddress(asked, failure))
                {
                    throw Failed(asked, failure);
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new NetworkException(
                    "receive",
                    _endpoint.ToString(),
                    $"no answer within {timeout.TotalSeconds:0.###} s",
                    SocketError.TimedOut,
                    "datagrams can get lost, and at first contact one costs 2 to 3 s: allow more time, or look whether the server answers");
            }
        }
    }

    /// <summary>
    /// Closes the socket when the protocol has nothing more to tell the server, such as that an observation has ended, at the latest after
    /// <paramref name="deadline"/>; what still waits then ends with <see cref="ObjectDisposedException"/>.
    /// </summary>
    /// <param name="deadline">From now on.</param>
    public Task DrainAsync(TimeSpan deadline)
    {
        lock (_lock)
        {
            _isDisposed = true;
            return _current.Connection.DrainAsync(deadline);
        }
    }

    /// <summary>Begins to close the socket; what still waits ends with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _current.Connection.Dispose();
        }
    }

    /// <summary>
    /// Closes the socket, and waits until it is closed; what still waits ends with <see cref="ObjectDisposedException"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _current.Connection.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<RequestOutcome<TResponse>> AskAsync(
        RequestHandler<TRequest, TResponse> handler, TRequest request, CancellationToken deadline)
    {
        TaskCompletionSource<RequestOutcome<TResponse>> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!handler.TryAsk(request, told => outcome.TrySetResult(told), out long id))
        {
            throw new InvalidOperationException("Too many requests wait for their responses: wait for one of them first.");
        }

        using CancellationTokenRegistration registration = deadline.UnsafeRegister(
            _ =>
            {
                handler.Cancel(id);
                outcome.TrySetCanceled(deadline);
            },
            null);
        return await outcome.Task.ConfigureAwait(false);
    }

    /// <summary>Opens a socket to this address, or to the next one to which the system has a route.</summary>
    private Asked Open(int address)
    {
        while (true)
        {
            try
            {
                RequestHandler<TRequest, TResponse>? handler = null;
                DatagramConnection connection = DatagramConnection.Open(
                    _endpoint, _addresses[address], socket => handler = _newHandler(socket), _options);
                return new Asked(connection, handler!, address);
            }
            catch (NetworkException) when (address + 1 < _addresses.Length)
            {
                address++;
            }
        }
    }

    /// <summary>Whether there is another socket to ask: a name's next address, or the one that another request has gone on to.</summary>
    private bool TryNextAddress(Asked asked, RequestFailure failure)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_current != asked)
            {
                return failure == RequestFailure.Unreachable || failure == RequestFailure.Closed;
            }

            if (failure != RequestFailure.Unreachable || asked.Handler.HasHeard || asked.Address + 1 >= _addresses.Length)
            {
                return false;
            }

            _current = Open(asked.Address + 1);
            asked.Connection.Dispose();
            return true;
        }
    }

    private NetworkException Failed(Asked asked, RequestFailure failure) =>
        failure == RequestFailure.Unreachable && asked.Connection.LastFailure is { } refused
            ? refused
            : new NetworkException(
                "receive",
                _endpoint.ToString(),
                failure.What,
                failure.IsTimeout ? SocketError.TimedOut : SocketError.ConnectionReset,
                failure.Advice);

    /// <summary>A socket to one of the addresses.</summary>
    private sealed record Asked(DatagramConnection Connection, RequestHandler<TRequest, TResponse> Handler, int Address);
}
