using System.Net;
using System.Net.Sockets;

namespace Doorbell.Coap;

/// <summary>
/// A CoAP client's side to one server over UDP (RFC 7252): requests that survive loss and have their effect at most once. Use one
/// for all that is asked of a server: what its round trips take is measured, and a loss then costs little. Thread-safe.
/// </summary>
public sealed class CoapConnection : IDisposable
{
    private readonly Endpoint _endpoint;
    private readonly CoapClientLimits _limits;
    private readonly ClientOptions _options;
    private readonly EndPoint[] _addresses;
    private readonly Lock _lock = new();
    private CoapSocket _socket;
    private int _address;

    private CoapConnection(Endpoint endpoint, EndPoint[] addresses, CoapClientLimits limits, ClientOptions options)
    {
        _endpoint = endpoint;
        _addresses = addresses;
        _limits = limits;
        _options = options;
        _socket = Open();
    }

    /// <summary>The address asked; a name's next one is taken while each refuses.</summary>
    public PeerAddress Peer => PeerAddress.From((IPEndPoint)_addresses[_address]);

    /// <summary>What a round trip takes, as measured and smoothed; zero while it is unknown, and a loss costs seconds.</summary>
    public TimeSpan RoundTrip => _socket.RoundTrip;

    /// <summary>Resolves the name and makes a socket; nothing is sent yet.</summary>
    /// <param name="endpoint">A UDP endpoint.</param>
    /// <param name="timeout">Bounds resolving.</param>
    /// <param name="limits">Bounds of the client.</param>
    /// <param name="options">How to make the socket.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">It can't be resolved, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">The endpoint isn't UDP, or an option has no effect on it.</exception>
    public static async Task<CoapConnection> ConnectAsync(
        Endpoint endpoint, TimeSpan timeout, CoapClientLimits limits, ClientOptions options, CancellationToken cancellation)
    {
        limits.Validate();
        if (endpoint.Transport != Transport.Udp)
        {
            throw new ArgumentException($"CoAP goes over UDP, not over {endpoint}", nameof(endpoint));
        }

        options.RequireUse(endpoint);
        EndPoint[] addresses = await Connector.AddressesAsync(endpoint, timeout, cancellation).ConfigureAwait(false);
        return new CoapConnection(endpoint, addresses, limits, options);
    }

    /// <summary>Asks and waits for the answer.</summary>
    /// <param name="request">What; its body is not to be changed before the answer.</param>
    /// <param name="timeout">Bounds all of it.</param>
    /// <param name="cancellation">Gives up; whether the request had its effect is then unknown.</param>
    /// <returns>An answer, perhaps with an error's code.</returns>
    /// <exception cref="NetworkException">No answer in time or none that can be used, the server reset it, or nobody listens.</exception>
    /// <exception cref="InvalidOperationException"><see cref="CoapClientLimits.MaxRequests"/> are at work.</exception>
    public async Task<CoapClientResponse> AskAsync(CoapClientRequest request, TimeSpan timeout, CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        while (true)
        {
            CoapSocket socket = _socket;
            try
            {
                CoapClientResponse answer = await socket.AskAsync(request, deadline.Token).ConfigureAwait(false);
                return answer.Failure == CoapFailure.None ? answer : throw Failed(answer);
            }
            catch (SocketException refused)
            {
                if (!TryNextAddress(socket))
                {
                    throw NetworkException.From("send", _endpoint.ToString(), refused);
                }
            }
            catch (ObjectDisposedException) when (_socket != socket)
            {
                // Another request has gone on to the next address.
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

    /// <summary>Closes the socket; what still waits ends with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _socket.Dispose();

    private CoapSocket Open() => new(Connector.ConnectDatagrams(_endpoint, _addresses[_address], _options), _limits);

    /// <summary>Whether there is another socket to ask: a name's next address, or the one that another request has gone on to.</summary>
    private bool TryNextAddress(CoapSocket refused)
    {
        lock (_lock)
        {
            if (_socket != refused)
            {
                return true;
            }

            if (refused.HasHeard || _address + 1 >= _addresses.Length)
            {
                return false;
            }

            _address++;
            _socket = Open();
            refused.Dispose();
            return true;
        }
    }

    private NetworkException Failed(CoapClientResponse answer)
    {
        (string what, string advice) = answer.Failure switch
        {
            CoapFailure.Reset => ("the server reset the request (RST)", "it may not speak CoAP, or knows no such messages"),
            CoapFailure.OptionNotUnderstood => (
                "an option of the answer must be understood and isn't (RFC 7252 section 5.4.1)", "ask without what made the server use it"),
            CoapFailure.AnswerTooLarge => (
                $"the answer has more than {_limits.MaxAnswerBytes} bytes", "raise CoapClientLimits.MaxAnswerBytes"),
            CoapFailure.AnswerBroken => (
                "the answer's blocks don't fit together (RFC 7959)", "it may have changed while it was fetched: ask again"),
            _ => ($"no answer to {answer.Sends} datagrams in {answer.Elapsed.TotalSeconds:0.#} s",
                "look whether the server answers at all; whether the request had its effect is unknown"),
        };
        SocketError error = answer.Failure == CoapFailure.NoAnswer ? SocketError.TimedOut : SocketError.ConnectionReset;
        return new NetworkException("receive", _endpoint.ToString(), what, error, advice);
    }
}
