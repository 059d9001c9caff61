using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Cli.Printing.Impair;
using Doorbell.Lab.Impair;
using Doorbell.Lab.Impair.Control;
using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Lab.Impair.Scenarios;


namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell impair LISTEN UPSTREAM</c>: a proxy that is a bad network.</summary>
internal static class ImpairCommand
{
    private static readonly TimeSpan _controlDrain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lastView = TimeSpan.FromSeconds(1);

    public static Verb Make()
    {
        Argument<string?> listen = new("LISTEN")
        {
            Description = "Where clients come to, as in udp://localhost:7000", Arity = ArgumentArity.ZeroOrOne,
        };
        Argument<string?> upstream = new("UPSTREAM")
        {
            Description = "Where that goes, as in udp://localhost:6789", Arity = ArgumentArity.ZeroOrOne,
        };
        FaultArguments faults = new();
        Option<long?> seed = Seed();
        Option<string?> control = Control();
        Option<string?> scenario = Scenario();
        Option<string?> api = ToxiproxyApi();
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Verb command = new(
            "impair",
            "Pass datagrams or streams on as a bad network does. A value is for both ways, or UP/DOWN, as in --delay 50ms/10ms; "
                + "off is no fault",
            [
                new("doorbell impair udp://localhost:7000 udp://localhost:9876 --loss 20%", "Loses one datagram in five, by chance"),
                new("doorbell impair tcp://localhost:7000 tcp://localhost:6789 --delay 50ms/10ms", "Delays a stream: up 50 ms, down 10 ms"),
                new("doorbell impair udp://localhost:7000 udp://localhost:9876 --like lte --seed 7", "Is a mobile network"),
                new("doorbell impair --toxiproxy-api", "Serves toxiproxy's HTTP API, by which clients make and rule such proxies"),
            ])
        {
            listen, upstream,
        };
        faults.AddTo(command);
        command.Add(seed);
        command.Add(control);
        command.Add(scenario);
        command.Add(api);
        command.Add(json);
        command.Validators.Add(result => Require(result, api, listen, upstream));
        command.SetAction((parsed, _) =>
        {
            if (parsed.GetResult(api) is not null)
            {
                Option[] kept = [api, seed, json];
                RefuseOthers(parsed, kept);
                return ToxiproxyApiRun.RunAsync(
                    EndpointWord.Parse(parsed.GetValue(api) ?? ToxiproxyApiRun.DefaultEndpoint), Dice(parsed, seed), parsed.GetValue(json));
            }

            Endpoint from = EndpointWord.Parse(parsed.GetValue(listen)!);
            Endpoint to = EndpointWord.Parse(parsed.GetValue(upstream)!);
            long dice = Dice(parsed, seed);
            BothFaults begin = faults.Read(parsed, from.IsStream);
            IReadOnlyList<ScenarioStep> steps = ScenarioFile.Read(parsed.GetValue(scenario), from.IsStream);
            return RunAsync(
                from, to, quit => new FaultControl(from.IsStream, begin, quit) { Scenario = steps }, dice, parsed.GetValue(control),
                new ImpairReport(parsed.GetValue(json)));
        });
        return command;
    }

    /// <summary>Without the API both arguments are needed.</summary>
    private static void Require(CommandResult result, Option<string?> api, params Argument<string?>[] arguments)
    {
        Argument? missing = arguments.FirstOrDefault(argument => result.GetValue(argument) is null);
        if (result.GetResult(api) is null && missing is not null)
        {
            result.AddError($"{missing.Name} is missing");
        }
    }

    private static long Dice(ParseResult parsed, Option<long?> seed) => parsed.GetValue(seed) ?? Random.Shared.Next();

    /// <summary>Where clients say what is impaired, nothing else says it.</summary>
    private static void RefuseOthers(ParseResult parsed, IReadOnlyList<Option> kept)
    {
        SymbolResult? other = parsed.CommandResult.Children.FirstOrDefault(child => child switch
        {
            OptionResult { Implicit: false } option => !kept.Contains(option.Option),
            ArgumentResult { Tokens.Count: > 0 } => true,
            _ => false,
        });
        if (other is not null)
        {
            string name = other is OptionResult option ? option.Option.Name : ((ArgumentResult)other).Argument.Name;
            throw new ArgumentException($"with --toxiproxy-api the clients say what is carried and impaired: leave out {name}");
        }
    }

    private static Option<string?> Control() => new("--control")
    {
        Description = "A unix socket that takes lines such as \"delay 20ms\", as in unix:///tmp/impair.sock",
        HelpName = "ENDPOINT",
    };

    private static Option<string?> Scenario() => new("--scenario")
    {
        Description = "A file of lines such as \"at 5s delay 20ms for 10s\" and \"at 30s clear\"",
        HelpName = "FILE",
    };

    private static Option<string?> ToxiproxyApi() => new("--toxiproxy-api")
    {
        Description = "Without LISTEN and UPSTREAM: proxies are made and ruled by toxiproxy's HTTP API, which is served at ENDPOINT "
            + $"[default: {ToxiproxyApiRun.DefaultEndpoint}]",
        HelpName = "ENDPOINT",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static Option<long?> Seed() => new("--seed")
    {
        Description = "Of its chances: the same seed and datagrams, the same fates [default: another one each time]",
        HelpName = "N",
        CustomParser = static result =>
        {
            string text = result.Tokens[0].Value;
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
            {
                return number;
            }

            result.AddError($"--seed takes a whole number of 64 bits, not \"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    private static async Task<int> RunAsync(
        Endpoint listen, Endpoint upstream, Func<Action, FaultControl> newControl, long seed, string? controlAt, ImpairReport report)
    {
        StopSignals.Listen();
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(StopSignals.First);
        FaultControl control = newControl(() => _ = over.CancelAsync());
        LiveView? view = report.IsForPeople && LiveView.IsPossible ? new LiveView(control) : null;
        ImpairOptions options = new()
        {
            Listen = listen,
            Upstream = upstream,
            Faults = control,
            Seed = seed,
            Report = view is null ? Failure.Post : view.Say,
        };
        await using ImpairProxy proxy = await ImpairBinding.BindAsync(options, over.Token);
        await using Server? controlled = controlAt is null
            ? null
            : await ControlSocket.ServeAsync(Endpoint.Parse(controlAt), control, over.Token);
        report.Listening(proxy.Endpoints, upstream, seed);
        Task shown = Task.Run(() => ShowAsync(view, proxy, control, over.Token), CancellationToken.None);
        try
        {
            await proxy.RunAsync(over.Token);
        }
        finally
        {
            await over.CancelAsync();

            // A terminal that is stopped (Ctrl-S) takes nothing more: the view is left where it is then.
            await Task.WhenAny(shown, Task.Delay(_lastView));
        }

        report.Summary(proxy);
        if (controlled is not null)
        {
            // Whoever asked it to quit gets the answer.
            await controlled.DrainAsync(_controlDrain);
        }

        return 0;
    }

    /// <summary>The live view if there is a terminal to draw on, and lines from the keyboard if somebody can type.</summary>
    private static async Task ShowAsync(LiveView? view, ImpairProxy proxy, FaultControl control, CancellationToken over)
    {
        if (view is not null)
        {
            await view.RunAsync(proxy, Keyboard.IsThere ? Keyboard.ReadKeys() : null, over);
        }
        else if (Keyboard.IsThere)
        {
            Keyboard.AnswerLines(control, LineWriter.Error.Post);
        }
    }
}
