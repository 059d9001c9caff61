namespace Doorbell;

/// <summary>What to serve; says nothing of where or how. A service may speak over streams, over datagrams, or both.</summary>
/// <param name="Name">A short name for logs, lower case by custom.</param>
public sealed record Service(string Name)
{
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

    /// <summary>A service that answers lines; see <see cref="Framing.Line"/>. Over datagrams, each datagram is one line.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="answer">Answers one message; the line's end is added by itself, as the question's was.</param>
    public static Service Lines(string name, MessageFunction answer) => Framed(name, Framing.Line, answer);

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
