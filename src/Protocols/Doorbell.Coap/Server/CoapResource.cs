using Doorbell.Coap.Codec;
using Doorbell.Coap.Server;

namespace Doorbell.Coap;

/// <summary>What a path of a CoAP server stands for: a function, and what is promised of it.</summary>
public sealed record CoapResource
{
    /// <summary>Max-Age where none is told, in seconds (RFC 7252 section 5.10.5).</summary>
    private const uint DefaultMaxAge = 60;

    private static readonly TimeSpan _longestMaxAge = TimeSpan.FromDays(30);

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
    /// Where its owner says that it has changed: then clients can observe it by GET (RFC 7641), and its function is called again for each
    /// of them. Default null.
    /// </summary>
    public CoapChanges? Changes { get; init; }

    /// <summary>
    /// How often it changes by itself, as a clock does: then clients can observe it. At least 10 milliseconds. Default null: it does not.
    /// </summary>
    public TimeSpan? ChangesEvery { get; init; }

    /// <summary>
    /// Of so many notifications to one observer one is confirmable: it is sent until it is acknowledged, and an observer that has gone is
    /// found by it. The others are sent once. The first one is confirmable. Default 5; 1 for all.
    /// </summary>
    public int ConfirmEvery { get; init; } = 5;

    /// <summary>
    /// How long an answer counts as fresh (Max-Age); in whole seconds. An observer that was told nothing for so long is told the same
    /// again.
    /// Default null: as long as it takes to change by itself, at least a second, or else 60 seconds (RFC 7252 section 5.10.5).
    /// </summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>
    /// What <c>/.well-known/core</c> tells of it besides its format (RFC 6690 section 3): <c>rt</c> says what it is, as in
    /// <c>light-lux</c>, <c>if</c> how to ask it, <c>sz</c> how large it is, <c>title</c> what people call it; or a name of one's own. Of
    /// <c>rt</c> and <c>if</c> there may be several values, between spaces. An empty value is none. Default none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    internal bool IsObservable => Changes is not null || ChangesEvery is not null;

    /// <summary>The Max-Age option of an answer; null if the default is meant.</summary>
    internal uint? MaxAgeSeconds => (MaxAge ?? ChangesEvery) is { } age ? (uint)Math.Max(1, Math.Ceiling(age.TotalSeconds)) : null;

    /// <summary>When an observer that was told nothing is told the same again; null for never, as it is told a change before.</summary>
    internal TimeSpan? RefreshAfter
    {
        get
        {
            TimeSpan fresh = TimeSpan.FromSeconds(MaxAgeSeconds ?? DefaultMaxAge);
            return ChangesEvery <= fresh ? null : fresh;
        }
    }

    /// <summary>Makes the function of one server.</summary>
    internal Func<DatagramSocketInfo, CoapFunction> NewFunction { get; }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentException">A number or a time out of its bounds, or a slow resource that can be observed.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ConfirmEvery, 1);
        if (ChangesEvery is { } every)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(every, CoapTimes.BetweenNotifications, nameof(ChangesEvery));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(every, _longestMaxAge, nameof(ChangesEvery));
        }

        if (MaxAge is { } age)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(age, TimeSpan.FromSeconds(1), nameof(MaxAge));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(age, _longestMaxAge, nameof(MaxAge));
        }

        if (IsSlow && IsObservable)
        {
            throw new ArgumentException("A slow resource can't be observed: leave out IsSlow, or Changes and ChangesEvery.");
        }
    }

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
