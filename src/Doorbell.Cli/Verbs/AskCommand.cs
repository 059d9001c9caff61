using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Coap;
using Doorbell.Sessions;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell ask ENDPOINT [TEXT…]</c>: the classic client.</summary>
internal static class AskCommand
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

    public static Verb Make()
    {
        Argument<string?> first = First();
        Argument<string[]> rest = Rest();
        Option<bool> raw = new("--raw") { Description = "Print the reply alone, as it came" };
        Option<bool> json = new("--json") { Description = "Print each reply as JSON, one a line" };
        Option<Duration> timeout = CommonOptions.Wait("--timeout", "Bounds connecting, and each question until its answer is printed", 5);
        Option<int?> tries = Tries();
        Option<bool> crlf = CommonOptions.CarriageReturns("End each question with CR and LF, as SMTP and HTTP have it");
        Option<string> method = Method();
        Option<bool> nonConfirmable = new("--non-confirmable") { Description = "CoAP: send once, and take no answer for lost" };
        Option<bool> observe = Observe();
        Option<int?> count = CommonOptions.Number("--count", "With --observe: end after so many states [default: no end]", 1, int.MaxValue);
        StreamArguments streams = new();
        ClientArguments sockets = new();
        Verb command = new("ask", "Send a line or a datagram and print the reply", _examples)
        {
            first, rest, raw, json, timeout, tries, crlf, method, nonConfirmable, observe, count,
        };
        streams.AddTo(command);
        sockets.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            RequireOneOf(parsed, raw, json);
            (string target, string? text) = Read(parsed.GetValue(first), parsed.GetValue(rest) ?? []);
            StreamDialogue dialogue = streams.Read(parsed);
            ClientOptions client = sockets.Read(parsed, Failure.Say);
            ReplyPrinter printer = new(parsed.GetValue(raw), parsed.GetValue(json), dialogue.HasSeveralLines);
            TimeSpan limit = parsed.GetValue(timeout).Time;
            if (CoapUri.IsMeant(target))
            {
                RequireUnset(parsed, "endpoints of lines or plain datagrams", [crlf]);
                RequireUnset(
                    parsed, "plain datagrams and streams: CoAP sends again until --timeout, or once with --non-confirmable", [tries]);
                RequireUnset(parsed, "tcp:// and unix:// endpoints", streams.Options);
                CoapQuestions questions = new(CoapUri.Parse(target), parsed.GetValue(method)!, !parsed.GetValue(nonConfirmable));
                if (parsed.GetValue(observe))
                {
                    string? body = IsSet(parsed, method) && !questions.IsGet ? "" : text;
                    return questions.ObserveAsync(body, parsed.GetValue(count), printer, limit, IsSet(parsed, timeout), client);
                }

                RequireUnset(parsed, "--observe", [count]);
                return questions.AskAsync(text, printer, IsSet(parsed, timeout) ? limit : null, client);
            }

            RequireUnset(parsed, "coap:// endpoints", [method, nonConfirmable, observe, count]);
            Endpoint endpoint = Endpoint.Parse(target);
            LineEnd end = parsed.GetValue(crlf) ? LineEnd.CrLf : LineEnd.AsGiven;
            if (endpoint.IsStream)
            {
                return new StreamQuestions(endpoint, client, dialogue, printer, limit, parsed.GetValue(tries) ?? 1)
                    .AskAsync(Questions.Lines(text, end));
            }

            RequireUnset(parsed, "tcp:// and unix:// endpoints", streams.Options);
            int most = parsed.GetValue(tries) ?? RetrySchedule.Default.Tries;
            return AskDatagramsAsync(endpoint, Questions.Datagrams(text, end), printer, limit, most, client);
        });
        return command;
    }

    private static Argument<string?> First() => new("ENDPOINT")
    {
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
        if (ofOthers.FirstOrDefault(option => IsSet(parsed, option)) is { } set)
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

    private static bool IsSet(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static (string Target, string? Text) Read(string? first, string[] rest)
    {
        if (first is not null && rest is [string port, ..] && EndpointWord.IsHostAndPort(first, port))
        {
            (first, rest) = (EndpointWord.HostAndPort(first, port), rest[1..]);
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
