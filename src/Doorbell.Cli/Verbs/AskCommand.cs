using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Coap;
using Doorbell.Sessions;
using Doorbell.Tls;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell ask ENDPOINT [TEXT…]</c>: the classic client.</summary>
internal sealed class AskCommand
{
    private const string DefaultEndpoint = "tcp://localhost:6789";

    private static readonly Example[] _examples =
    [
        new("doorbell ask tcp://localhost:6789 hello", "Asks one line over TCP"),
        new("doorbell ask udp://localhost:9876 hello", "Asks by a datagram, again if no answer comes"),
        new("printf 'one\\ntwo\\n' | doorbell ask --json localhost 6789", "Asks each line of standard input, and prints JSON"),
        new("doorbell ask coap://localhost/capitalize hello", "Asks a CoAP resource"),
        new("doorbell ask --observe --count 2 coap://localhost/daytime", "Prints a CoAP resource's state at each change"),
    ];

    private readonly Argument<string?> _first = First();
    private readonly Argument<string[]> _rest = Rest();
    private readonly Option<bool> _raw = new("--raw") { Description = "Print the reply alone, as it came" };
    private readonly Option<bool> _json = new("--json") { Description = "Print each reply as JSON, one a line" };
    private readonly Option<Duration> _timeout =
        CommonOptions.Wait("--timeout", "Bounds connecting, and each question until its answer is printed", 5);

    private readonly Option<int?> _tries = Tries();
    private readonly Option<bool> _crlf = CommonOptions.CarriageReturns("End each question with CR and LF, as SMTP and HTTP have it");
    private readonly Option<string> _method = Method();
    private readonly Option<bool> _nonConfirmable = new("--non-confirmable")
    {
        Description = "CoAP: send once, and take no answer for lost",
    };

    private readonly Option<bool> _observe = Observe();
    private readonly Option<int?> _count =
        CommonOptions.Number("--count", "With --observe: end after so many states [default: no end]", 1, int.MaxValue);

    private readonly StreamArguments _streams = new();
    private readonly ClientArguments _sockets = new();
    private readonly ViaArguments _proxies = new();
    private readonly TlsClientArguments _tls = new(hasFlag: true);

    public static Verb Make()
    {
        AskCommand ask = new();
        Verb command = new("ask", "Send a line or a datagram and print the reply", _examples)
        {
            ask._first, ask._rest, ask._raw, ask._json, ask._timeout, ask._tries, ask._crlf, ask._method, ask._nonConfirmable,
            ask._observe, ask._count,
        };
        ask._streams.AddTo(command);
        ask._sockets.AddTo(command);
        ask._proxies.AddTo(command);
        ask._tls.AddTo(command);
        command.SetAction((parsed, _) => ask.RunAsync(parsed));
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed)
    {
        RequireOneOf(parsed, _raw, _json);
        (string target, string? text) = Read(parsed.GetValue(_first), parsed.GetValue(_rest) ?? []);
        StreamDialogue dialogue = _streams.Read(parsed);
        ReplyPrinter printer = new(parsed.GetValue(_raw), parsed.GetValue(_json), dialogue.HasSeveralLines);
        if (CoapUri.IsMeant(target))
        {
            return AskResourceAsync(parsed, CoapUri.Parse(target), text, printer);
        }

        RequireUnset(parsed, "coap:// endpoints", [_method, _nonConfirmable, _observe, _count]);
        TimeSpan limit = parsed.GetValue(_timeout).Time;
        Endpoint endpoint = _sockets.OnInterface(parsed, EndpointWord.Parse(target, TlsScheme.Scheme));
        EndpointWord.RequireConnectable(endpoint);
        ClientOptions client = Dumped(parsed.GetValue(_streams.Hex), _sockets.Read(parsed, Failure.Say, endpoint), endpoint);
        IReadOnlyList<TunnelProxy> via = _proxies.Read(parsed, endpoint);
        IReadOnlyList<Func<ConnectionInfo, StreamLayer>> layers = _tls.Read(parsed, Failure.Say, endpoint)(endpoint);
        LineEnd end = parsed.GetValue(_crlf) ? LineEnd.CrLf : LineEnd.AsGiven;
        if (endpoint.IsStream)
        {
            StreamQuestions asks = new(
                endpoint, new Connecting(client, via, layers), dialogue, printer, limit, parsed.GetValue(_tries) ?? 1);
            return dialogue.Script is { } script ? asks.RunAsync(script, text, end) : asks.AskAsync(Questions.Lines(text, end));
        }

        RequireUnset(parsed, "tcp:// and unix:// endpoints", _streams.Options);
        int most = parsed.GetValue(_tries) ?? RetrySchedule.Default.Tries;
        return AskDatagramsAsync(endpoint, Questions.Datagrams(text, end), printer, limit, most, client);
    }

    private Task<int> AskResourceAsync(ParseResult parsed, CoapUri resource, string? text, ReplyPrinter printer)
    {
        RequireUnset(parsed, "endpoints of lines or plain datagrams", [_crlf, _streams.Hex]);
        RequireUnset(
            parsed, "plain datagrams and streams: CoAP sends again until --timeout, or once with --non-confirmable", [_tries]);
        RequireUnset(parsed, "tcp:// and unix:// endpoints", _streams.Options);
        RequireUnset(parsed, "coap:// endpoints: over TCP nothing is sent again", resource.Endpoint.IsStream ? [_nonConfirmable] : []);
        RequireUnset(parsed, "tls:// endpoints", _tls.Options);
        TimeSpan limit = parsed.GetValue(_timeout).Time;
        ClientOptions options = _sockets.Read(parsed, Failure.Say, resource.Endpoint);
        CoapQuestions questions = new(resource, parsed.GetValue(_method)!, !parsed.GetValue(_nonConfirmable))
        {
            Via = _proxies.Read(parsed, resource.Endpoint),
        };
        if (parsed.GetValue(_observe))
        {
            string? body = parsed.IsGiven(_method) && !questions.IsGet ? "" : text;
            return questions.ObserveAsync(body, parsed.GetValue(_count), printer, limit, parsed.IsGiven(_timeout), options);
        }

        RequireUnset(parsed, "--observe", [_count]);
        return questions.AskAsync(text, printer, parsed.IsGiven(_timeout) ? limit : null, options);
    }

    private static ClientOptions Dumped(bool isDumped, ClientOptions options, Endpoint endpoint)
    {
        if (!isDumped)
        {
            return options;
        }

        HexDump dump = new(countsEach: !endpoint.IsStream);
        return options with { Sending = bytes => dump.Sending(bytes.Span), Received = bytes => dump.Received(bytes.Span) };
    }

    private static Argument<string?> First() => new("ENDPOINT")
    {
        HelpName = "ENDPOINT",
        CompletionSources = { static _ => EndpointWord.Beginnings },
        Description = $"Whom to ask [default: {DefaultEndpoint}]; a host and a port may be two words; "
            + "a word that does not look like an endpoint is text",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static Argument<string[]> Rest() => new(WrongUsage.TextArgument)
    {
        Description = "What to ask; several words are joined by spaces. Without it each line of standard input is asked in turn",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static Option<string> Method() => new("--method")
    {
        HelpName = "METHOD",
        CompletionSources = { "GET", "POST", "PUT", "DELETE", "FETCH" },
        Description = "CoAP: GET, POST, PUT, DELETE or FETCH; GET and DELETE ask once, without a body",
        DefaultValueFactory = static _ => "POST",
    };

    private static Option<bool> Observe() => new("--observe")
    {
        Description = "CoAP: print the resource's state now and at each change, until --count, --timeout or Ctrl-C",
    };

    private static Option<int?> Tries() => CommonOptions.Number(
        "--tries",
        $"Datagrams: send a question at most so often [default: {RetrySchedule.Default.Tries}]; streams: connect at most so often, after "
            + "longer and longer waits [default: 1]",
        1,
        100);

    private static void RequireUnset(ParseResult parsed, string others, IReadOnlyList<Option> ofOthers)
    {
        if (parsed.FirstGiven(ofOthers) is { } set)
        {
            throw new ArgumentException($"{set.Name} is for {others}");
        }
    }

    private static void RequireOneOf(ParseResult parsed, Option<bool> one, Option<bool> other)
    {
        if (parsed.GetValue(one) && parsed.GetValue(other))
        {
            throw new ArgumentException($"{one.Name} and {other.Name} exclude each other");
        }
    }

    private static (string Target, string? Text) Read(string? first, string[] rest)
    {
        if (first is not null && rest is [string port, ..] && EndpointWord.IsHostAndPort(first, port))
        {
            (first, rest) = (EndpointWord.HostAndPort(first, port), rest[1..]);
        }

        if (first is not null && EndpointWord.IsHostAlone(first))
        {
            throw new ArgumentException(
                $"{first} has no port: give it too, as in ask {first} 6789 hello; a text that looks like a host stands behind an endpoint");
        }

        bool named = first is not null && EndpointWord.IsMeant(first);
        string[] text = named || first is null ? rest : [first, .. rest];
        return (named ? first! : DefaultEndpoint, text.Length == 0 ? null : string.Join(' ', text));
    }

    private static async Task<int> AskDatagramsAsync(
        Endpoint endpoint, IAsyncEnumerable<ReadOnlyMemory<byte>> questions, ReplyPrinter printer, TimeSpan timeout, int tries,
        ClientOptions options)
    {
        RetrySchedule schedule = RetrySchedule.Default with { Tries = tries };
        await foreach (ReadOnlyMemory<byte> question in questions)
        {
            using CancellationTokenSource limit = new(timeout);
            DatagramAnswer answer = await DatagramClient.AskAsync(
                endpoint, question, timeout, schedule, options, CancellationToken.None);
            if (answer.Tries > 1)
            {
                Failure.Say($"answered on try {answer.Tries} of at most {tries}");
            }

            await printer.PrintDatagramAsync(answer.Bytes, answer.Peer, answer.Tries, answer.Elapsed, limit.Token);
        }

        return 0;
    }
}
