namespace Doorbell;

/// <summary>What to serve; says nothing of where or how. A service may speak over streams, over datagrams, or both.</summary>
/// <param name="Name">A short name for logs, lower case by custom.</param>
public sealed record Service(string Name)
{
    private static readonly Dictionary<string, CoapResource> _noResources = [];

    /// <summary>Makes the handler of a new connection; null if the service does not speak over streams. Any thread may call it.</summary>
    public Func<StreamHandler>? NewStreamHandler { get; init; }

    /// <summary>Makes the handler of a datagram socket; null if the service does not speak in datagrams. Any thread may call it.</summary>
    public Func<DatagramHandler>? NewDatagramHandler { get; init; }

    /// <summary>What to run in the place of handlers; null for none. It takes the model of a process for each connection.</summary>
    public ServiceProgram? Program { get; init; }

    /// <summary>The bounds of each connection.</summary>
    public StreamLimits StreamLimits { get; init; } = StreamLimits.Default;

    /// <summary>The bounds of each datagram socket.</summary>
    public DatagramLimits DatagramLimits { get; init; } = DatagramLimits.Default;

    /// <summary>
    /// What it offers at a <c>coap://</c> endpoint, by path, as in <c>lamps/1</c>. Default none: itself at its name, if it speaks in
    /// datagrams (<see cref="CoapResource.From"/>).
    /// </summary>
    public IReadOnlyDictionary<string, CoapResource> CoapResources { get; init; } = _noResources;

    /// <summary>The bounds of each <c>coap://</c> socket.</summary>
    public CoapServerLimits CoapLimits { get; init; } = CoapServerLimits.Default;

    /// <summary>A service that answers lines; see <see cref="Framing.Line"/>. Over datagrams, each datagram is one line.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="answer">Answers one message; the line's end is added by itself, as the question's was.</param>
    public static Service Lines(string name, MessageFunction answer) => Framed(name, Framing.Line, answer);

    /// <summary>The same, and what is known of it as a resource.</summary>
    internal Service AsResource(CoapCode method, int? contentFormat, int? takesFormat = null) => this with
    {
        CoapResources = new Dictionary<string, CoapResource>
        {
            [Name] = CoapResource.From(this) with
            {
                Methods = [method],
                ContentFormat = contentFormat,
                TakesFormat = takesFormat,
                HasEffect = false,
            },
        },
    };

    /// <summary>A service that is a program.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="program">What to run.</param>
    public static Service Run(string name, ServiceProgram program) => new(name) { Program = program };

    /// <summary>
    /// A service that answers messages framed by <paramref name="framing"/>. Over datagrams, each datagram is one message.
    /// </summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="framing">Where a message ends in a stream.</param>
    /// <param name="answer">Answers one message.</param>
    public static Service Framed(string name, Framing framing, MessageFunction answer) => new(name)
    {
        NewStreamHandler = () => new MessageHandler(framing, answer),
        NewDatagramHandler = () => new MessageDatagramHandler(answer),
    };
}

/// <summary>Answers one message: a pure function of bytes.</summary>
/// <param name="message">The message without its framing; valid during the call only.</param>
/// <param name="answer">Where the answer is written; what is written, perhaps nothing, is framed as the message was.</param>
public delegate void MessageFunction(ReadOnlySpan<byte> message, System.Buffers.IBufferWriter<byte> answer);
