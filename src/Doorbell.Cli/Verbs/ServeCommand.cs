using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;
using Doorbell.Coap;
using Doorbell.Processes;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell serve [SERVICE] [ENDPOINT…]</c></summary>
internal static class ServeCommand
{
    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public static Verb Make(string[]? program)
    {
        ServedArguments served = new(program);
        ListeningArguments listening = new();
        TlsServerArguments tls = new(hasFlag: true);
        LimitArguments limits = new();
        Option<string?> configuration = ServeConfiguration.Option();
        Option<Duration> drain = CommonOptions.Duration("--drain", "How long to wait for what is in flight after a signal to end", 5);
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Log each connection and error to standard error" };
        Verb command = new(
            "serve",
            "Serve until interrupted",
            [
                new("doorbell serve", "Serves capitalize on TCP port 6789 and UDP port 9876, for this machine alone"),
                new("doorbell serve echo 'tcp://*:7000' 'udp://*:7000'", "Serves echo to every machine that can reach this one"),
                new("doorbell serve echo tcp://localhost:7001 + daytime tcp://localhost:7002", "Serves two services"),
                new("doorbell serve tcp://localhost:7003 --shell 'tr a-z A-Z'", "Serves with a program for each connection"),
                new("doorbell serve --model pool --workers 8 --max-connections 100", "Serves with 8 threads and a limit"),
            ]);
        served.AddTo(command);
        listening.AddTo(command);
        tls.AddTo(command);
        limits.AddTo(command);
        command.Add(configuration);
        command.Add(drain);
        command.Add(json);
        command.Add(verbose);
        command.SetAction(async parsed =>
        {
            NamedServices.TakeSyslog = new SyslogPrinter(parsed.GetValue(json)).Print;
            ServeConfiguration? file = parsed.GetValue(configuration) is { } path
                ? ServeConfiguration.Read(path, parsed, hasProgram: program is not null)
                : null;
            IReadOnlyList<Served> all = ServedArguments.WithDefaultEndpoints(
                file is { Served.Count: > 0 } ? file.Served : served.Read(parsed));
            using ILoggerFactory logging = ErrorLog.Open(parsed.GetValue(verbose), parsed.GetValue(json));
            CoapServerLimits coap = limits.Apply(parsed, CoapServerLimits.Default);
            DoorOptions[] doors = [.. all.SelectMany(each => each.Doors(coap))];
            limits.RequireCoap(parsed, doors);
            Service? ofPassedSockets = doors.Length == 0 ? all[0].Service : null;
            ServerOptions options = new() { Service = ofPassedSockets, Doors = doors, Logging = logging };
            options = limits.Apply(parsed, listening.Apply(parsed, options));
            options = file?.Apply(options) ?? options;
            options = tls.Apply(parsed, options, out ServedTls? servedTls);
            MessageLimits.RequireEffect(options);
            string? fileName = file is { Served.Count: > 0 } ? parsed.GetValue(configuration) : null;
            ServeReport report = new(all, fileName, parsed.GetValue(json)) { Tls = servedTls };
            return await RunAsync(options, report, parsed.GetValue(drain).Time);
        });
        return command;
    }

    private static async Task<int> RunAsync(ServerOptions options, ServeReport report, TimeSpan drain)
    {
        StopSignals.Listen();
        ChildSignals.UseDefault();
        await using Server server = await Server.StartAsync(options, StopSignals.First);
        Task watching = report.Tls?.WatchAsync(Failure.Say, StopSignals.First) ?? Task.CompletedTask;
        if (Server.IsWorker)
        {
            // The parent says all there is to say.
            await server.Completion;
            return 0;
        }

        if (server.ServesOneConnection)
        {
            // Standard output may be the connection itself.
            await server.RunAsync(drain, StopSignals.First);
            return 0;
        }

        report.Options(server.SocketOptions);
        report.Listening(server, options);
        ReadyNotice.Ready();
        await using CancellationTokenRegistration stopping = StopSignals.First.Register(ReadyNotice.Stopping);
        await using CancellationTokenRegistration now = StopSignals.Second.Register(() => _ = server.DrainAsync(TimeSpan.Zero));
        await server.RunAsync(drain, StopSignals.First);
        if (StopSignals.First.IsCancellationRequested)
        {
            // With nothing to drain it may be over before the signal has told everyone.
            ReadyNotice.Stopping();
        }

        report.HandedOver(server.HandedOverTo);
        report.Summary(server);
        return 0;
    }
}
