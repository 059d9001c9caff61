using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli;

/// <summary><c>doorbell serve [SERVICE] [ENDPOINT…]</c></summary>
internal static class ServeCommand
{
    private const string DefaultService = "capitalize";
    private static readonly string[] _defaultEndpoints = ["tcp://localhost:6789", "udp://localhost:9876"];

    private static readonly Dictionary<string, Service> _services = new[]
    {
        Capitalize.Unicode, Echo.Service, Discard.Service, Daytime.Service, Time.Service,
    }.ToDictionary(static service => service.Name);

    public static Command Make()
    {
        Argument<string?> service = new("SERVICE")
        {
            Description = $"What to serve: {string.Join(", ", _services.Keys)} [default: {DefaultService}]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Argument<string[]> endpoints = Endpoints();
        Option<bool> ascii = new("--ascii") { Description = "capitalize: change a-z alone, as C's toupper does" };
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Log each connection and error to standard error" };
        Option<string?> model = new("--model")
        {
            Description = $"How connections are spread: {string.Join(", ", ServerModel.Names)} [default: async]",
            HelpName = "NAME",
        };
        Option<int?> workers = new("--workers")
        {
            Description = $"prefork, pool: how many workers [default: {ServerModel.DefaultWorkers}]; loop: how many loops "
                + "[default: one a processor]",
            HelpName = "N",
        };
        Option<Duration> drain = Arguments.Duration("--drain", "How long to wait for what is in flight after SIGINT or SIGTERM", 5);
        Option<int?> backlog = Arguments.Backlog();
        Option<string[]> settings = Arguments.SocketOptions();
        LimitArguments limits = new();
        Command command = new("serve", "Serve until interrupted") { service, endpoints, model, workers, backlog };
        limits.AddTo(command);
        command.Add(settings);
        command.Add(drain);
        command.Add(ascii);
        command.Add(json);
        command.Add(verbose);
        command.SetAction(async parsed =>
        {
            (Service what, IReadOnlyList<Endpoint> where) = Read(
                parsed.GetValue(service), parsed.GetValue(endpoints) ?? [], parsed.GetValue(ascii));
            if (parsed.GetValue(backlog) is not null && !where.Any(static endpoint => endpoint.IsStream))
            {
                throw new ArgumentException("--backlog belongs to tcp and unix listeners, and none of the endpoints is one");
            }

            using ILoggerFactory logging = Logging(parsed.GetValue(verbose));
            ServerOptions options = limits.Apply(parsed, new ServerOptions
            {
                Service = what,
                Endpoints = where,
                Model = Model(parsed.GetValue(model), parsed.GetValue(workers)),
                ListenBacklog = parsed.GetValue(backlog),
                SocketOptions = [.. (parsed.GetValue(settings) ?? []).Select(SocketOptionSetting.Parse)],
                Logging = logging,
            });
            return await RunAsync(options, new ServeReport(what, parsed.GetValue(json)), parsed.GetValue(drain).Time);
        });
        return command;
    }

    private static Argument<string[]> Endpoints() => new("ENDPOINT")
    {
        Description = "Where: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path; * as the host is every interface, "
            + $"port 0 any port [default: {string.Join(' ', _defaultEndpoints)}]",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static (Service What, IReadOnlyList<Endpoint> Where) Read(string? name, string[] endpoints, bool ascii)
    {
        if (name is not null && Arguments.LooksLikeEndpoint(name))
        {
            endpoints = [name, .. endpoints];
            name = null;
        }

        if (!_services.TryGetValue(name ?? DefaultService, out Service? service))
        {
            throw new ArgumentException(
                $"\"{PeerText.Escape(name!)}\" is no service: give one of {string.Join(", ", _services.Keys)}, "
                    + "or an endpoint such as tcp://localhost:6789");
        }

        if (ascii && service != Capitalize.Unicode)
        {
            throw new ArgumentException($"--ascii belongs to {DefaultService}, not to {service.Name}");
        }

        return (ascii ? Capitalize.Ascii : service, [.. (endpoints.Length > 0 ? endpoints : _defaultEndpoints).Select(Endpoint.Parse)]);
    }

    private static ServerModel? Model(string? name, int? workers) => (name, workers) switch
    {
        (null, null) => null,
        (null, _) => throw new ArgumentException("--workers goes with --model prefork, pool or loop"),
        _ => ServerModel.Named(name, workers),
    };

    private static async Task<int> RunAsync(ServerOptions options, ServeReport report, TimeSpan drain)
    {
        using CancellationTokenSource stop = new();
        using CancellationTokenSource stopNow = new();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            (stop.IsCancellationRequested ? stopNow : stop).Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        await using Server server = await Server.StartAsync(options, stop.Token);
        report.Options(server.SocketOptions);
        report.Listening(server, options.ListenBacklog);
        await using CancellationTokenRegistration now = stopNow.Token.Register(() => _ = server.DrainAsync(TimeSpan.Zero));
        await server.RunAsync(drain, stop.Token);
        report.Summary(server.Ledger.Read(), server.ReadBacklogs());
        return 0;
    }

    private static ILoggerFactory Logging(bool verbose) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Warning)
        .AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace)
        .AddSimpleConsole(static format =>
        {
            format.SingleLine = true;
            format.TimestampFormat = "HH:mm:ss.fff ";
        }));
}
