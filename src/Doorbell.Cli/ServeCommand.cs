using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli;

/// <summary><c>doorbell serve [SERVICE] [ENDPOINT…]</c></summary>
internal static class ServeCommand
{
    private const string DefaultService = "capitalize";
    private const string ExecOption = "--exec";
    private static readonly string[] _defaultEndpoints = ["tcp://localhost:6789", "udp://localhost:9876"];

    private static readonly Dictionary<string, Service> _services = new[]
    {
        Capitalize.Unicode, Echo.Service, Discard.Service, Daytime.Service, Time.Service,
    }.ToDictionary(static service => service.Name);

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public static Command Make(string[]? program)
    {
        Argument<string?> service = new("SERVICE")
        {
            Description = $"What to serve: {string.Join(", ", _services.Keys)} [default: {DefaultService}]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Argument<string[]> endpoints = new("ENDPOINT")
        {
            Description = "Where: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path; * as the host is every interface, "
                + $"port 0 any port [default: {string.Join(' ', _defaultEndpoints)}]",
            Arity = ArgumentArity.ZeroOrMore,
        };
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
        Option<string?> shell = new("--shell")
        {
            Description = "Serve with a process for each connection or datagram: this command line, run by /bin/sh",
            HelpName = "COMMAND",
        };

        // For --help alone: what stands behind it is taken away before the rest is parsed.
        Option<string?> exec = new(ExecOption)
        {
            Description = "Serve with a process for each connection or datagram: this program, with all the arguments behind it",
            HelpName = "PROGRAM [ARGUMENT…]",
        };
        Option<Duration> drain = Arguments.Duration("--drain", "How long to wait for what is in flight after SIGINT or SIGTERM", 5);
        Option<int?> backlog = Arguments.Backlog();
        LimitArguments limits = new();
        Command command = new("serve", "Serve until interrupted") { service, endpoints, exec, shell, model, workers, backlog };
        limits.AddTo(command);
        command.Add(drain);
        command.Add(ascii);
        command.Add(json);
        command.Add(verbose);
        command.SetAction(async parsed =>
        {
            ServiceProgram? run = Program(program, parsed.GetValue(shell));
            (Service what, IReadOnlyList<Endpoint> where) = Read(
                parsed.GetValue(service), parsed.GetValue(endpoints) ?? [], parsed.GetValue(ascii), run);
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
                Logging = logging,
            });
            return await RunAsync(options, new ServeReport(what, parsed.GetValue(json)), parsed.GetValue(drain).Time);
        });
        return command;
    }

    /// <summary>Takes <c>--exec</c> and all behind it away from the arguments: they are a program's own, whatever they look like.</summary>
    public static string[]? TakeProgram(ref string[] arguments)
    {
        int exec = arguments is ["serve", ..] ? Array.IndexOf(arguments, ExecOption) : -1;
        if (exec < 0)
        {
            return null;
        }

        string[] program = arguments[(exec + 1)..];
        arguments = arguments[..exec];
        return program;
    }

    private static ServiceProgram? Program(string[]? program, string? shell) => (program, shell) switch
    {
        (null, null) => null,
        (null, { Length: > 0 }) => ServiceProgram.Shell(shell),
        ([{ Length: > 0 }, ..], null) => new ServiceProgram(program[0], program[1..]),
        (not null, not null) => throw new ArgumentException("--exec and --shell exclude each other"),
        _ => throw new ArgumentException("--exec takes a program and its arguments, --shell a command line"),
    };

    private static (Service What, IReadOnlyList<Endpoint> Where) Read(
        string? name, string[] endpoints, bool ascii, ServiceProgram? program)
    {
        if (name is not null && Arguments.LooksLikeEndpoint(name))
        {
            endpoints = [name, .. endpoints];
            name = null;
        }

        if (program is not null)
        {
            return name is null && !ascii
                ? (Service.Run(NameOf(program), program), Where(endpoints))
                : throw new ArgumentException($"--exec and --shell are the service: leave out {(ascii ? "--ascii" : PeerText.Escape(name!))}");
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

        return (ascii ? Capitalize.Ascii : service, Where(endpoints));
    }

    private static Endpoint[] Where(string[] endpoints) =>
        [.. (endpoints.Length > 0 ? endpoints : _defaultEndpoints).Select(Endpoint.Parse)];

    private static string NameOf(ServiceProgram program) =>
        PeerText.Escape(program is { FileName: "/bin/sh", Arguments: ["-c", var command] } ? command : Path.GetFileName(program.FileName));

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
        if (Server.IsWorker)
        {
            // The parent says all there is to say.
            await server.Completion;
            return 0;
        }

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
