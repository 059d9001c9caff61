using Doorbell.Coap;

namespace Doorbell.Lab.Load;

/// <summary>What a <see cref="LoadTest"/> asks, whom, how often and for how long.</summary>
public sealed record LoadOptions
{
    /// <summary>The most connections, or datagram sockets, at once.</summary>
    public const int MaxConnections = 50_000;

    /// <summary>The most questions under way on one connection.</summary>
    public const int MaxPipeline = 4096;

    private const long MaxUnderWayBytes = 1L << 30;
    private const int MaxDatagramBytes = 65_507;
    private const double MaxRate = 10_000_000;

    /// <summary>Who is asked.</summary>
    public required Endpoint Endpoint { get; init; }

    /// <summary>How many connections, or datagram sockets, ask. Default 1.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>How many questions each of them has under way at most. Default 1.</summary>
    public int Pipeline { get; init; } = 1;

    /// <summary>Whether each question has a connection of its own. Default false.</summary>
    public bool Reconnect { get; init; }

    /// <summary>
    /// Questions a second, evenly spaced: an open loop. A latency counts from the moment at which the question was due, also if no
    /// connection had room for it then. Default null: a closed loop, where each connection asks the next question when an answer has come.
    /// </summary>
    public double? Rate { get; init; }

    /// <summary>For how long the rate, or the number of connections, rises evenly from 0 before all else. Default none.</summary>
    public TimeSpan Ramp { get; init; }

    /// <summary>For how long it asks before it measures. Default none.</summary>
    public TimeSpan Warmup { get; init; }

    /// <summary>For how long it measures. Default 10 seconds.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A connection that has been asked something and has given no answer for so long is reset, or a datagram given up. It bounds
    /// connecting too. Default 5 seconds.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is asked. Default numbered lines of 32 bytes.</summary>
    public LoadQuestion Question { get; init; } = LoadQuestion.OfSize(LoadQuestion.MinNumberedBytes);

    /// <summary>What an answer looks like. Default a line.</summary>
    public AnswerForm Answer { get; init; } = AnswerForm.Line;

    /// <summary>
    /// CoAP: the request, whose body is the question. The endpoint is a datagram one, and an answer of the class 2 is right. Default null:
    /// plain datagrams.
    /// </summary>
    public CoapClientRequest? Coap { get; init; }

    /// <summary>How the sockets are made. Default nothing out of the ordinary.</summary>
    public ClientOptions Client { get; init; } = ClientOptions.Default;

    /// <summary>How long it takes altogether, without what is waited for at the end.</summary>
    public TimeSpan Whole => Ramp + Warmup + Duration;

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentException">One is out of range, or two exclude each other.</exception>
    public void Validate()
    {
        ThrowUnless(Connections is >= 1 and <= MaxConnections, $"LoadOptions.Connections is a number from 1 to {MaxConnections}");
        ThrowUnless(Pipeline is >= 1 and <= MaxPipeline, $"LoadOptions.Pipeline is a number from 1 to {MaxPipeline}");
        ThrowUnless(Rate is null or (> 0 and <= MaxRate), $"LoadOptions.Rate is a number above 0, and at most {MaxRate:0}");
        ThrowUnless(Ramp >= TimeSpan.Zero && Warmup >= TimeSpan.Zero, "LoadOptions.Ramp and LoadOptions.Warmup are not negative");
        ThrowUnless(Duration > TimeSpan.Zero && Timeout > TimeSpan.Zero, "LoadOptions.Duration and LoadOptions.Timeout are longer than 0");
        ThrowUnless(
            Question.Length > 0 || Answer == AnswerForm.End,
            "LoadOptions.Question is empty: then the answer has to be all until the end");
        ThrowUnless(
            (long)Question.Length * Pipeline <= MaxUnderWayBytes,
            $"LoadOptions.Question of {Question.Length} bytes, {Pipeline} times under way, is more than 1 GiB on a connection");
        if (Endpoint.IsStream)
        {
            ValidateStream();
        }
        else
        {
            ValidateDatagrams();
        }
    }

    private void ValidateStream()
    {
        ThrowUnless(Answer != AnswerForm.Datagram, $"LoadOptions.Answer is a datagram, and {Endpoint} is a stream");
        ThrowUnless(!Reconnect || Pipeline == 1, "LoadOptions.Reconnect has one question on each connection, so LoadOptions.Pipeline is 1");
        ThrowUnless(
            Answer != AnswerForm.End || Reconnect,
            "LoadOptions.Answer ends with its connection, so LoadOptions.Reconnect has to give each question a connection of its own");
    }

    private void ValidateDatagrams()
    {
        bool knowsNumber = Coap is not null || Answer == AnswerForm.Nothing || (Question.IsNumbered && Answer.IsCompared);
        ThrowUnless(!Reconnect, $"LoadOptions.Reconnect is for streams, and {Endpoint} carries datagrams");
        ThrowUnless(
            Answer.IsCompared || Answer == AnswerForm.Datagram || (Answer == AnswerForm.Nothing && Coap is null),
            $"LoadOptions.Answer is {Answer.Name}, and {Endpoint} carries datagrams: datagram, echo or capitals can be expected there");
        ThrowUnless(
            Coap is not null || Question.Length <= MaxDatagramBytes,
            $"LoadOptions.Question is longer than a datagram can be, {MaxDatagramBytes} bytes");
        ThrowUnless(
            Pipeline == 1 || knowsNumber,
            "LoadOptions.Pipeline is 1 where answers do not tell their question's number: expect echo or capitals of numbered lines");
    }

    private static void ThrowUnless(bool right, string message)
    {
        if (!right)
        {
            throw new ArgumentException(message);
        }
    }
}
