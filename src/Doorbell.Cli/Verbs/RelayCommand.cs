using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;
using Doorbell.Tls;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell relay LISTEN UPSTREAM…</c></summary>
internal static class RelayCommand
{
    private static readonly Example[] _examples =
    [
        new("doorbell relay tcp://localhost:7000 tcp://localhost:6789", "Carries the connections to port 7000 on to port 6789"),
        new("doorbell relay unix:front tcp://localhost:6789", "Makes a TCP server a server of a unix socket"),
        new(
            "doorbell relay tcp://localhost:7000 tcp://localhost:6789 tcp://localhost:6790",
            "Takes the second server if the first can't be connected"),
    ];

    public static Verb Make()
    {
        Argument<string> listen = new("LISTEN") { Description = "Where clients come to, as in tcp://localhost:7000 or unix:///run/front" };
        Argument<string[]> upstreams = new("UPSTREAM")
        {
            Description = "Where each connection goes on to: the first of these that can be connected",
            Arity = ArgumentArity.OneOrMore,
        };
        ListeningArguments listening = new();
        ConnectionArguments connections = new();
        ViaArguments proxies = new();
        TlsServerArguments tls = new(hasFlag: false);
        TlsClientArguments upstreamTls = new(hasFlag: false);
        Option<string?> proxy = new("--proxy-protocol")
        {
            Description = "Tell the upstream who the client is, by this version of the PROXY protocol: v1 or v2",
            HelpName = "VERSION",
            CompletionSources = { "v1", "v2" },
        };
        Option<Duration> connect = CommonOptions.Wait("--connect-timeout", "How long an upstream has to accept a connection", 10);
        Option<Duration> idle = CommonOptions.Wait("--idle-timeout", "End a connection on which no byte moves, either way", 300);
        Option<Duration> drain = CommonOptions.Duration("--drain", "How long to wait for what is in flight after a signal to end", 5);
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Log each connection and error to standard error" };
        Verb command = new("relay", "Carry streams on to another server, byte for byte, ends and resets included", _examples)
        {
            listen, upstreams,
        };
        listening.AddTo(command);
        connections.AddTo(command);
        proxies.AddTo(command);
        foreach (Option option in new Option[] { proxy, connect, idle, drain, json, verbose })
        {
            command.Add(option);
        }

        tls.AddTo(command);
        upstreamTls.AddTo(command);
        command.SetAction(async parsed =>
        {
            Endpoint door = EndpointWord.Parse(parsed.GetValue(listen)!, TlsScheme.Scheme);
            Endpoint[] targets = [.. parsed.GetValue(upstreams)!.Select(static text => EndpointWord.Parse(text, TlsScheme.Scheme))];
            IReadOnlyList<TunnelProxy> via = proxies.Read(parsed, targets);

            // Behind a proxy a name means what it means to the proxy: the place that could be LISTEN itself is the proxy's.
            Endpoint[] connected = via.Count > 0 ? [via[0].Endpoint] : targets;
            RequireStreams(door, targets, connected);
            Service relay = Relay.To(targets, new RelayOptions
            {
                ConnectTimeout = parsed.GetValue(connect).Time, ProxyVersion = ProxyVersion(parsed.GetValue(proxy)),
                Via = via, Layers = upstreamTls.Read(parsed, Failure.Say, targets),
            });
            relay = relay with { StreamLimits = relay.StreamLimits with { IdleTimeout = parsed.GetValue(idle).Time } };
            using ILoggerFactory logging = ErrorLog.Open(parsed.GetValue(verbose), parsed.GetValue(json));
            ServerOptions options = new() { Doors = [new DoorOptions { Endpoint = door, Service = relay }], Logging = logging };
            options = connections.Apply(parsed, listening.Apply(parsed, options));
            options = tls.Apply(parsed, options, out ServedTls? servedTls);
            RelayReport report = new(targets, parsed.GetValue(json)) { Tls = servedTls };
            return await RunAsync(options, report, connected, parsed.GetValue(drain).Time);
        });
        return command;
    }

    private static int? ProxyVersion(string? word) => word switch
    {
        null => null,
        "v1" => 1,
        "v2" => 2,
        _ => throw new ArgumentException($"--proxy-protocol takes v1 or v2, not \"{PrintableText.Escape(word)}\""),
    };

    private static void RequireStreams(Endpoint door, Endpoint[] upstreams, Endpoint[] connected)
    {
        if (Array.Find([door, .. upstreams], static endpoint => !endpoint.IsStream) is { } datagrams)
        {
            throw new ArgumentException($"relay carries streams between tcp:// and unix:// endpoints, and {datagrams} carries datagrams");
        }

        if (Array.Find(upstreams, static upstream => !upstream.IsUnix && (upstream.Host == "*" || upstream.Port == 0)) is { } nowhere)
        {
            throw new ArgumentException($"UPSTREAM {nowhere} is a place to listen, not one to connect to: name a host and a port");
        }

        if (connected.Contains(door))
        {
            throw new ArgumentException($"UPSTREAM is LISTEN itself, {door}: name the server that clients mean");
        }
    }

    private static async Task<int> RunAsync(ServerOptions options, RelayReport report, Endpoint[] upstreams, TimeSpan drain)
    {
        StopSignals.Listen();
        await using Server server = await Server.StartAsync(options, StopSignals.First);
        Task watching = report.Tls?.WatchAsync(Failure.Say, StopSignals.First) ?? Task.CompletedTask;
        if (Server.IsWorker)
        {
            // The parent says all there is to say.
            await server.Completion;
            return 0;
        }

        await RelayLoops.RequireNoneAsync(server.Doors, upstreams, StopSignals.First);
        report.Listening(server);
        ReadyNotice.Ready();
        await using CancellationTokenRegistration stopping = StopSignals.First.Register(ReadyNotice.Stopping);
        await using CancellationTokenRegistration now = StopSignals.Second.Register(() => _ = server.DrainAsync(TimeSpan.Zero));
        await server.RunAsync(drain, StopSignals.First);
        report.Summary(server.Ledger.Read());
        return 0;
    }
}
