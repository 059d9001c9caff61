using System.CommandLine;
using System.Globalization;
using System.Text;
using Doorbell.Coap;
using Doorbell.Lab.Load;

namespace Doorbell.Cli.Arguments;

/// <summary>What <c>load</c> asks, how often and for how long.</summary>
internal sealed class LoadArguments
{
    private const int MaxPayloadBytes = LoadQuestion.MaxBytes;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _datagramPatience = TimeSpan.FromSeconds(1);

    private readonly Option<int?> _connections = CommonOptions.Number(
        "--connections", "How many connections, or datagram sockets, ask at once [default: 1]", 1, LoadOptions.MaxConnections);

    private readonly Option<double?> _rate = new("--rate")
    {
        Description = "Questions a second, whether or not answers come (an open loop); a latency counts from when its question was due "
            + "[default: each connection asks when it has an answer, a closed loop]",
        HelpName = "N",
        CustomParser = static result =>
        {
            string text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double rate) && rate > 0)
            {
                return rate;
            }

            result.AddError($"--rate takes a number above 0, as in 5000, not \"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    private readonly Option<int?> _pipeline = CommonOptions.Number(
        "--pipeline", "How many questions each connection has under way at most [default: 1]", 1, LoadOptions.MaxPipeline);

    private readonly Option<bool> _reconnect = new("--reconnect") { Description = "Streams: a new connection for each question" };
    private readonly Option<Duration> _duration = CommonOptions.Wait("--duration", "How long to measure", 10);
    private readonly Option<Duration> _warmup = CommonOptions.Duration("--warmup", "Ask for so long before measuring", 0);
    private readonly Option<Duration> _ramp = CommonOptions.Duration(
        "--ramp", "Begin with so long a time in which the rate rises to --rate, or without it the connections to --connections", 0);

    private readonly Option<int?> _size = CommonOptions.Size(
        "--size", "Ask lines of so many bytes, numbered from 32 bytes on, instead of TEXT [default: 32]");

    private readonly Option<string?> _payload = new("--payload")
    {
        Description = "Ask the bytes of this file, as they are, instead of TEXT",
        HelpName = "FILE",
    };

    private readonly Option<AnswerForm?> _expect = new("--expect")
    {
        Description = "What an answer is: line, echo, capitals, bytes:N, until:TEXT, end (of the connection), nothing "
            + "[default: line; a datagram, whatever it says]",
        HelpName = "FORM",
        CustomParser = static result =>
        {
            string text = result.Tokens[0].Value;
            if (AnswerForm.TryParse(text, out AnswerForm? form))
            {
                return form;
            }

            result.AddError(
                "--expect takes line, echo, capitals, bytes:N, until:TEXT, end, nothing or datagram, not "
                    + $"\"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    private readonly Option<Duration?> _timeout = CommonOptions.OptionalDuration(
        "--timeout", "Give a connection, or a datagram, up that gets no answer for so long [default: 5; plain datagrams 1]");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [_connections, _rate, _pipeline, _reconnect, _duration, _warmup, _ramp, _size, _payload, _expect, _timeout])
        {
            command.Add(option);
        }
    }

    /// <exception cref="ArgumentException">Options exclude each other.</exception>
    /// <exception cref="ConfigurationException">The payload can't be read.</exception>
    public LoadOptions Read(ParseResult parsed, Endpoint endpoint, CoapClientRequest? coap, string? text, ClientOptions client)
    {
        LoadOptions options = new()
        {
            Endpoint = endpoint,
            Connections = parsed.GetValue(_connections) ?? 1,
            Pipeline = parsed.GetValue(_pipeline) ?? 1,
            Reconnect = parsed.GetValue(_reconnect),
            Rate = parsed.GetValue(_rate),
            Ramp = parsed.GetValue(_ramp).Time,
            Warmup = parsed.GetValue(_warmup).Time,
            Duration = parsed.GetValue(_duration).Time,
            Timeout = parsed.GetValue(_timeout)?.Time ?? (endpoint.IsStream || coap is not null ? _patience : _datagramPatience),
            Coap = coap,
            Question = ReadQuestion(parsed, endpoint, text),
            Answer = parsed.GetValue(_expect) ?? (endpoint.IsStream ? AnswerForm.Line : AnswerForm.Datagram),
            Client = client,
        };
        options.Validate();
        return options;
    }

    private LoadQuestion ReadQuestion(ParseResult parsed, Endpoint endpoint, string? text)
    {
        int? size = parsed.GetValue(_size);
        string? file = parsed.GetValue(_payload);
        if ((text is null ? 0 : 1) + (size is null ? 0 : 1) + (file is null ? 0 : 1) > 1)
        {
            throw new ArgumentException("TEXT, --size and --payload exclude each other: each says what is asked");
        }

        return file is not null ? LoadQuestion.Of(BoundedFile.Read(file, MaxPayloadBytes, "a payload"))
            : text is not null ? LoadQuestion.Of(Encoding.UTF8.GetBytes(endpoint.IsStream ? text + "\n" : text))
            : size is > MaxPayloadBytes ? throw new ArgumentException($"--size is at most {SizeText.Of(MaxPayloadBytes)}")
            : LoadQuestion.OfSize(size ?? LoadQuestion.MinNumberedBytes);
    }
}
