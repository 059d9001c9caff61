namespace Doorbell.Coap;

/// <summary>
/// A <see cref="CoapClient"/> on a datagram socket that is connected to the server. Any thread asks; RequestClient of the library
/// Doorbell opens the socket, and waits for the response.
/// </summary>
public sealed class CoapClientHandler : RequestHandler<CoapClientRequest, CoapClientResponse>
{
    private readonly CoapClientLimits _limits;
    private readonly CoapClient _client;
    private readonly PeerAddress _peer;

    /// <summary>The request's ID here by its ID at the client, and the other way.</summary>
    private readonly Dictionary<long, (long Id, CoapClientRequest Request)> _requests = [];
    private readonly Dictionary<long, long> _clientIds = [];

    /// <summary>A handler for one socket.</summary>
    /// <param name="socket">The socket, connected to the server.</param>
    /// <param name="limits">The limits of the client.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit makes no sense.</exception>
    public CoapClientHandler(DatagramSocketInfo socket, CoapClientLimits limits)
        : base(limits.MaxRequests)
    {
        _limits = limits;
        _peer = socket.Peer;
        _client = new CoapClient(limits, socket);
    }

    /// <summary>
    /// Is told the states of observed resources (<see cref="CoapClientRequest.Observes"/>), the first one among them, and the answers of a
    /// group's servers (<see cref="CoapClientRequest.Collects"/>), with the request. It is called on the socket's lane,
    /// so it must not block. Default null: nobody is told.
    /// </summary>
    public Action<CoapClientRequest, CoapClientResponse>? Notified { get; init; }

    /// <summary>Whether no request waits for its outcome, and the server knows which observations have ended.</summary>
    public override bool IsIdle => base.IsIdle && _client.IsAtRest;

    /// <inheritdoc/>
    public override void OnAlarm(DatagramTurn turn)
    {
        _client.Tick(turn.Now);
        Advance(turn);
    }

    /// <inheritdoc/>
    protected override void Check(CoapClientRequest request) => _limits.BlockExponentFor(request);

    /// <inheritdoc/>
    protected override void OnRequest(long id, CoapClientRequest request, DatagramTurn turn)
    {
        if (!_client.TryAsk(request, turn.Now, out long clientId))
        {
            throw new InvalidOperationException("The client has more requests than its handler has taken.");
        }

        _requests.Add(clientId, (id, request));
        _clientIds.Add(id, clientId);
        Advance(turn);
    }

    /// <inheritdoc/>
    protected override void OnCancelled(long id, DatagramTurn turn)
    {
        if (_clientIds.Remove(id, out long clientId))
        {
            _requests.Remove(clientId);
            _client.Cancel(clientId, turn.Now);
            Advance(turn);
        }
    }

    /// <inheritdoc/>
    protected override void OnResponse(ReadOnlySpan<byte> datagram, DatagramTurn turn)
    {
        _client.Received(datagram, turn.Now);
        Advance(turn);
    }

    /// <summary>Sends all that there is to send, tells the outcomes, and sets the alarm.</summary>
    private void Advance(DatagramTurn turn)
    {
        while (_client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
        {
            datagram.CopyTo(turn.Output.GetSpan(datagram.Length));
            turn.Output.Advance(datagram.Length);
            turn.SendTo(_peer);
        }

        turn.Alarm = _client.Alarm;
        RoundTrip = _client.RoundTrips.RoundTrip;
        while (_client.TryTakeAnswer(out CoapClientResponse? response))
        {
            if (!_requests.TryGetValue(response.Id, out (long Id, CoapClientRequest Request) asked))
            {
                continue;
            }

            if (response.IsNotification)
            {
                Notified?.Invoke(asked.Request, response with { From = From });
                continue;
            }

            _requests.Remove(response.Id);
            _clientIds.Remove(asked.Id);
            Complete(asked.Id, OutcomeOf(response, _limits));
        }
    }

    /// <summary>What is told of a response, or why there is none.</summary>
    internal static RequestOutcome<CoapClientResponse> OutcomeOf(CoapClientResponse response, CoapClientLimits limits) =>
        response.Failure switch
        {
            CoapFailure.None => new(response),
            CoapFailure.Reset => Failed("the server reset the request (RST)", "it may not speak CoAP, or knows no such messages"),
            CoapFailure.OptionNotUnderstood => Failed(
                "an option of the answer must be understood and isn't (RFC 7252 section 5.4.1)", "ask without what made the server use it"),
            CoapFailure.AnswerTooLarge => Failed(
                $"the answer has more than {limits.MaxAnswerBytes} bytes", "raise CoapClientLimits.MaxAnswerBytes"),
            CoapFailure.BodyNotTaken => Failed(
                "the server answered a part of the body as if it were the whole (RFC 7959 section 2.3)",
                "it may not take bodies in blocks: send a body that fits one datagram"),
            CoapFailure.AnswerBroken => Failed(
                "the answer's blocks don't fit together (RFC 7959)", "it may have changed while it was fetched: ask again"),
            _ => new(new RequestFailure(
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"no answer to {response.Sends} datagrams in {response.Elapsed.TotalSeconds:0.#} s"),
                "look whether the server answers at all; whether the request had its effect is unknown",
                IsTimeout: true)),
        };

    private static RequestOutcome<CoapClientResponse> Failed(string what, string advice) =>
        new(new RequestFailure(what, advice, IsTimeout: false));
}
