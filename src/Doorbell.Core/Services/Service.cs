using System.Runtime.ExceptionServices;

namespace Doorbell;

/// <summary>What to serve; says nothing of where or how. A service may speak over streams, over datagrams, or both.</summary>
/// <param name="Name">A short name for logs, lower case by custom.</param>
public sealed record Service(string Name)
{
    /// <summary>
    /// Makes the handler of a new connection; null if the service does not speak over streams. Any thread may call it. If it throws, the
    /// connection is reset, and counted and logged as <see cref="CloseReason.HandlerFault"/>.
    /// </summary>
    public Func<ConnectionInfo, StreamHandler>? NewStreamHandler { get; init; }

    /// <summary>Makes the handler of a datagram socket; null if the service does not speak in datagrams. Any thread may call it.</summary>
    public Func<DatagramSocketInfo, DatagramHandler>? NewDatagramHandler { get; init; }

    /// <summary>What to run in the place of handlers; null for none. It takes the model of a process for each connection.</summary>
    public ServiceProgram? Program { get; init; }

    /// <summary>The bounds of each connection.</summary>
    public StreamLimits StreamLimits { get; init; } = StreamLimits.Default;

    /// <summary>The bounds of each datagram socket.</summary>
    public DatagramLimits DatagramLimits { get; init; } = DatagramLimits.Default;

    /// <summary>
    /// Whether what its handlers remember must be in one process, so that the models whose lanes are processes are refused. Default false.
    /// </summary>
    public bool NeedsOneProcess { get; init; }

    /// <summary>What its handlers count beside connections, bytes and datagrams. Default none.</summary>
    public IReadOnlyList<LedgerCounter> Counters { get; init; } = [];

    /// <summary>What is known of one message and its answer, for protocols that say it to their clients; null if nothing is.</summary>
    public MessageTraits? Traits { get; init; }

    /// <summary>
    /// Makes the handler of a new connection, for a lane. It never throws: if <see cref="NewStreamHandler"/> does, the handler that is
    /// returned throws the same as soon as the connection is opened.
    /// </summary>
    /// <param name="connection">Who is connected, and to what.</param>
    /// <returns>The connection's own handler.</returns>
    public StreamHandler CreateStreamHandler(ConnectionInfo connection)
    {
        try
        {
            return NewStreamHandler!(connection)
                ?? throw new InvalidOperationException($"NewStreamHandler of the service {Name} returned null in the place of a handler.");
        }
        catch (Exception fault)
        {
            return new FailedHandler(ExceptionDispatchInfo.Capture(fault));
        }
    }

    /// <summary>A service that answers lines; see <see cref="Framing.Line"/>. Over datagrams, each datagram is one line.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="answer">Answers one message; the line's end is added by itself, as the question's was.</param>
    public static Service Lines(string name, MessageFunction answer) => Framed(name, Framing.Line, answer);

    /// <summary>A service that is a program.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="program">What to run.</param>
    public static Service Run(string name, ServiceProgram program) => new(name)
    {
        Program = program,
        DatagramLimits = DatagramLimits.Default with { LoopGuardAnswers = 128 },
    };

    /// <summary>
    /// A service that answers messages framed by <paramref name="framing"/>. Over datagrams, each datagram is one message.
    /// </summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="framing">Where a message ends in a stream.</param>
    /// <param name="answer">Answers one message.</param>
    public static Service Framed(string name, Framing framing, MessageFunction answer) => new(name)
    {
        NewStreamHandler = _ => new MessageHandler(framing, answer),
        NewDatagramHandler = _ => new MessageDatagramHandler(answer),
    };
}
