using Doorbell.Coap.Server;

namespace Doorbell.Coap;

/// <summary>What a path of a CoAP server stands for: a function, and what is promised of it.</summary>
public sealed record CoapResource
{
    /// <summary>A resource.</summary>
    /// <param name="function">
    /// Answers; of a server with several sockets or threads, any of them calls it, so what it keeps it must guard.
    /// </param>
    public CoapResource(CoapFunction function)
        : this(_ => function)
    {
    }

    private CoapResource(Func<DatagramSocketInfo, CoapFunction> newFunction) => NewFunction = newFunction;

    /// <summary>Its methods; any other is answered 4.05. Default null: all, the function itself decides.</summary>
    public IReadOnlyList<CoapCode>? Methods { get; init; }

    /// <summary>
    /// The format of its answers (RFC 7252 section 12.3: 0 is plain text in UTF-8, 40 links, 42 bytes, 50 JSON); who accepts another
    /// alone is answered 4.06. Default null: not told, so that who accepts only one format is refused.
    /// </summary>
    public int? ContentFormat { get; init; }

    /// <summary>The format of the bodies it takes; a request that says another is answered 4.15. Default null: any.</summary>
    public int? TakesFormat { get; init; }

    /// <summary>
    /// Whether a request may change anything. Then its exchange is remembered, so that a duplicate has no second effect. Without it, an
    /// answer too large for a stranger is thrown away, and computed again when he has proved where he is. Default true.
    /// </summary>
    public bool HasEffect { get; init; } = true;

    /// <summary>
    /// Most bytes of an answer's body. If that is more than a stranger may get, he has to prove where he is before the request has its
    /// effect. Default null, not known: the stranger's request has its effect, and an answer too large for him comes in blocks as small
    /// as it takes, which is slow if it is a long one.
    /// </summary>
    public int? MaxAnswerBytes { get; init; }

    /// <summary>
    /// Whether it may take as long as a client waits before it sends again. Then the request is acknowledged first, and the answer comes
    /// in a message of its own (RFC 7252 section 5.2.2). Default false.
    /// </summary>
    public bool IsSlow { get; init; }

    /// <summary>
    /// What <c>/.well-known/core</c> tells of it besides its format (RFC 6690 section 3): <c>rt</c> says what it is, as in
    /// <c>light-lux</c>, <c>if</c> how to ask it, <c>sz</c> how large it is, <c>title</c> what people call it; or a name of one's own. Of
    /// <c>rt</c> and <c>if</c> there may be several values, between spaces. An empty value is none. Default none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Makes the function of one server.</summary>
    internal Func<DatagramSocketInfo, CoapFunction> NewFunction { get; }

    /// <summary>
    /// A datagram service as a resource: the body is handed to it as a datagram, and its first answer is the answer's body; none is an
    /// empty one. What it sends later, or to others, is lost.
    /// </summary>
    /// <param name="service">One that speaks in datagrams.</param>
    /// <exception cref="ArgumentException">It does not.</exception>
    public static CoapResource From(Service service) => service.NewDatagramHandler is null
        ? throw new ArgumentException($"The service {service.Name} does not speak in datagrams.", nameof(service))
        : new CoapResource(socket => new DatagramResource(service, socket).Answer)
        {
            Methods = service.Traits is { } traits ? [traits.ReadsMessage ? CoapCode.Post : CoapCode.Get] : null,
            ContentFormat = CoapFormat.Of(service.Traits?.AnswerType),
            TakesFormat = CoapFormat.Of(service.Traits?.MessageType),
            HasEffect = service.Traits is not { IsSafe: true },
        };
}
