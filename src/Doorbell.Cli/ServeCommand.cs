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
        Argument<string[]> endpoints = new("ENDPOINT")
        {
            Description = "Where: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path; * as the host is every interface, "
                + $"port 0 any port [default: {string.Join(' ', _defaultEndpoints)}]",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<bool> ascii = new("--ascii") { Description = "capitalize: change a-z alone, as C's toupper does" };
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Log each connection and error to standard error" };
        Option<Duration> drain = Arguments.Duration("--drain", "How long to wait for what is in flight after SIGINT or SIGTERM", 5);
        Option<string[]> options = Arguments.SocketOptions();
        Command command = new("serve", "Serve until interrupted") { service, endpoints, ascii, json, verbose, drain, options };
        command.SetAction(parsed =>
        {
            (Service what, IReadOnlyList<Endpoint> where) = Read(
                parsed.GetValue(service), parsed.GetValue(endpoints) ?? [], parsed.GetValue(ascii));
            ServeReport report = new(what, parsed.GetValue(json));
            IReadOnlyList<SocketOptionSetting> settings = [.. (parsed.GetValue(options) ?? []).Select(SocketOptionSetting.Parse)];
            return RunAsync(what, where, settings, report, parsed.GetValue(verbose), parsed.GetValue(drain).Time);
        });
        return command;
    }

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

    private static async Task<int> RunAsync(
        Service service, IReadOnlyList<Endpoint> endpoints, IReadOnlyList<SocketOptionSetting> options, ServeReport report, bool verbose,
        TimeSpan drain)
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
        using ILoggerFactory logging = Logging(verbose);
        await using Server server = await Server.StartAsync(
            new ServerOptions { Service = service, Endpoints = endpoints, SocketOptions = options, Logging = logging }, stop.Token);
        report.Options(server.SocketOptions);
        report.Listening(server.Doors);
        await using CancellationTokenRegistration now = stopNow.Token.Register(() => _ = server.DrainAsync(TimeSpan.Zero));
        await server.RunAsync(drain, stop.Token);
        report.Summary(server.Ledger.Read());
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
