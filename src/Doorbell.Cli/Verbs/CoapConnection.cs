using System.Net.Sockets;
using Doorbell.Coap;

namespace Doorbell.Cli.Verbs;

/// <summary>What <c>ask</c> asks one CoAP server over: a datagram socket, or a TCP connection.</summary>
internal sealed class CoapConnection : IAsyncDisposable
{
    /// <summary>So long a TCP connection may take to end in order; then it is reset.</summary>
    private static readonly TimeSpan _lastWord = TimeSpan.FromSeconds(1);

    private readonly CoapUri _uri;
    private readonly RequestClient<CoapClientRequest, CoapClientResponse>? _datagrams;
    private readonly CoapStreamClientHandler? _handler;
    private readonly Client? _stream;
    private PeerAddress _peer;

    private CoapConnection(CoapUri uri, RequestClient<CoapClientRequest, CoapClientResponse> datagrams)
    {
        _uri = uri;
        _datagrams = datagrams;
    }

    private CoapConnection(CoapUri uri, CoapStreamClientHandler handler, Client stream)
    {
        _uri = uri;
        _handler = handler;
        _stream = stream;
    }

    /// <summary>Who has answered.</summary>
    public PeerAddress Peer => _datagrams?.Peer ?? _peer;

    /// <summary>Opens it.</summary>
    /// <param name="uri">Whom to ask.</param>
    /// <param name="notified">Is told the states of what is observed; null for nobody.</param>
    /// <param name="timeout">Bounds resolving and connecting.</param>
    /// <param name="options">How to make the socket.</param>
    /// <param name="via">Through which proxies a TCP connection is made.</param>
    /// <exception cref="NetworkException">The name can't be resolved, or no address answers.</exception>
    public static async Task<CoapConnection> ConnectAsync(
        CoapUri uri, Action<CoapClientRequest, CoapClientResponse>? notified, TimeSpan timeout, ClientOptions options,
        IReadOnlyList<TunnelProxy> via)
    {
        if (!uri.Endpoint.IsStream)
        {
            return new CoapConnection(uri, await RequestClient.ConnectAsync(
                uri.Endpoint,
                socket => new CoapClientHandler(socket, CoapClientLimits.Default) { Notified = notified },
                timeout,
                options,
                CancellationToken.None));
        }

        CoapStreamClientHandler handler = new(CoapClientLimits.Default) { Notified = notified };
        ConnectOptions connect = new() { Timeout = timeout, Transport = options, Via = via };
        Client stream = await Client.ConnectAsync(uri.Endpoint, handler, connect, CancellationToken.None);
        return new CoapConnection(uri, handler, stream);
    }

    /// <summary>Asks and waits for the answer.</summary>
    /// <exception cref="NetworkException">There is none, or none in time.</exception>
    public Task<CoapClientResponse> AskAsync(CoapClientRequest request, TimeSpan timeout, CancellationToken cancellation) =>
        _datagrams?.AskAsync(request, timeout, cancellation) ?? AskStreamAsync(request, timeout, cancellation);

    /// <summary>Closes it when the server knows that nobody observes any more, at the latest after <paramref name="deadline"/>.</summary>
    public Task DrainAsync(TimeSpan deadline) => _datagrams?.DrainAsync(deadline) ?? _stream!.CloseAsync(deadline);

    public async ValueTask DisposeAsync()
    {
        if (_datagrams is not null)
        {
            await _datagrams.DisposeAsync();
            return;
        }

        await _stream!.CloseAsync(_lastWord);
    }

    private async Task<CoapClientResponse> AskStreamAsync(
        CoapClientRequest request, TimeSpan timeout, CancellationToken cancellation)
    {
        TaskCompletionSource<RequestOutcome<CoapClientResponse>> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_handler!.TryAsk(request, told => outcome.TrySetResult(told), out long id))
        {
            throw new InvalidOperationException("Too many requests wait for their answers.");
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(timeout);
        try
        {
            RequestOutcome<CoapClientResponse> told = await outcome.Task.WaitAsync(over.Token);
            if (!told.TryGet(out CoapClientResponse? response, out RequestFailure? failure))
            {
                throw new NetworkException(
                    "receive", _uri.Endpoint.ToString(), failure.What, SocketError.ConnectionReset, failure.Advice);
            }

            _peer = response.From;
            return response;
        }
        catch (OperationCanceledException)
        {
            _handler.Cancel(id);
            cancellation.ThrowIfCancellationRequested();
            throw new NetworkException(
                "receive",
                _uri.Endpoint.ToString(),
                $"no answer within {timeout.TotalSeconds:0.###} s",
                SocketError.TimedOut,
                "allow more time, or look whether the server answers, and whether it speaks CoAP over TCP");
        }
    }
}
