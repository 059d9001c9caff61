using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Ends;
using Doorbell.Cli.Printing;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell relay LISTEN UPSTREAM…</c></summary>
internal sealed class RelayCommand
{
    private static readonly Example[] _examples =
    [
        new("doorbell relay tcp://localhost:7000 tcp://localhost:6789", "Carries the connections to port 7000 on to port 6789"),
        new("doorbell relay unix:front tcp://localhost:6789", "Makes a TCP server a server of a unix socket"),
        new(
            "doorbell relay tcp://localhost:7000 tcp://localhost:6789 tcp://localhost:6790",
            "Takes the second server if the first can't be connected"),
        new("doorbell relay tcp://localhost:7000 'serial:///dev/ttyUSB0?115200'", "Puts a serial line on the network"),
        new("doorbell relay pty:modem tcp://localhost:6789", "Gives a TCP server to a program that wants a terminal"),
        new("doorbell relay --framing lines tcp://localhost:7000 udp://localhost:9876", "Makes a datagram of each line, and back"),
    ];

    private readonly Argument<string> _listen = new("LISTEN")
    {
        Description = "Where clients come to, as in tcp://localhost:7000, unix:///run/front, udp://localhost:7000 or vsock:*:7000; or what "
            + "is relayed once: stdio:, pty:LINK, serial:///dev/ttyUSB0?115200",
    };

    private readonly Argument<string[]> _upstreams = new("UPSTREAM")
    {
        Description = "Where each connection goes on to: the first of these that can be connected; or one of the others, as above",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly ListeningArguments _listening = new();
    private readonly ConnectionArguments _connections = new();
    private readonly ViaArguments _proxies = new();
    private readonly TlsServerArguments _tls = new(hasFlag: false);
    private readonly TlsClientArguments _upstreamTls = new(hasFlag: false);

    private readonly Option<string?> _proxy = new("--proxy-protocol")
    {
        Description = "Tell the upstream who the client is, by this version of the PROXY protocol: v1 or v2",
        HelpName = "VERSION",
        CompletionSources = { "v1", "v2" },
    };

    private readonly Option<Framing?> _framing = FramingWord.Option();
    private readonly Option<Duration> _connect = CommonOptions.Wait(
        "--connect-timeout", "How long an upstream has to accept a connection", 10);

    private readonly Option<Duration> _idle = CommonOptions.Wait(
        "--idle-timeout", "End a connection on which no byte moves, either way", 300);

    private readonly Option<Duration> _wait = CommonOptions.Duration(
        "--wait", "Terminals, lines and datagrams: how long to wait for answers after the end of the other side", 0.5);

    private readonly Option<Duration> _drain = CommonOptions.Duration(
        "--drain", "How long to wait for what is in flight after a signal to end", 5);

    private readonly Option<bool> _json = new("--json") { Description = "Print events as JSON, one a line" };
    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Log each connection and error to standard error" };

    public static Verb Make()
    {
        RelayCommand relay = new();
        Verb command = new("relay", "Carry streams on to another server, byte for byte, ends and resets included", _examples)
        {
            relay._listen, relay._upstreams,
        };
        relay._listening.AddTo(command);
        relay._connections.AddTo(command);
        relay._proxies.AddTo(command);
        foreach (Option option in new Option[]
        {
            relay._proxy, relay._framing, relay._connect, relay._idle, relay._wait, relay._drain, relay._json, relay._verbose,
        })
        {
            command.Add(option);
        }

        relay._tls.AddTo(command);
        relay._upstreamTls.AddTo(command);
        command.SetAction((parsed, _) => relay.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        EndTarget from = EndWord.Parse(parsed.GetValue(_listen)!);
        EndTarget[] to = [.. parsed.GetValue(_upstreams)!.Select(EndWord.Parse)];
        Endpoint[] sockets = [.. to.OfType<SocketTarget>().Select(static target => target.Endpoint)];
        IReadOnlyList<TunnelProxy> via = _proxies.Read(parsed, sockets);

        // Behind a proxy a name means what it means to the proxy: the place that could be LISTEN itself is the proxy's.
        Endpoint[] connected = via.Count > 0 ? [via[0].Endpoint] : sockets;
        RelayWords.Require(from, to, connected);
        Func<Endpoint, IReadOnlyList<Func<ConnectionInfo, StreamLayer>>> layers = _upstreamTls.Read(parsed, Failure.Say, sockets);
        using ILoggerFactory logging = ErrorLog.Open(parsed.GetValue(_verbose), parsed.GetValue(_json));
        bool usesOutput = from is StandardStreamsTarget || to.Any(static end => end is StandardStreamsTarget);
        RelayReport report = new([.. to.Select(static end => end.Name)], parsed.GetValue(_json), usesOutput);
        Framing? framing = parsed.GetValue(_framing);
        RelayWords.RequireFraming(from, to, framing);
        if (from is SocketTarget door && to.All(static end => end is SocketTarget))
        {
            Service relay = Relay.To(sockets, new RelayOptions
            {
                ConnectTimeout = parsed.GetValue(_connect).Time, ProxyVersion = ProxyVersion(parsed.GetValue(_proxy)), Via = via,
                Layers = layers,
            });
            return await RelayServer.RunAsync(
                Options(parsed, door.Endpoint, relay, logging, report), report, connected, Drain(parsed), ends: null);
        }

        if (parsed.GetValue(_proxy) is not null)
        {
            throw new ArgumentException("--proxy-protocol tells a server of tcp:// or unix:// of a client of the same: leave it out");
        }

        if (from is not (SocketTarget or DatagramTarget))
        {
            // It is no server, so that every option of a server's is one too many.
            if (parsed.FirstGiven(_listening.Options.Concat(_connections.Options)) is { } unused)
            {
                throw new ArgumentException($"{unused.Name} is for a LISTEN that is a socket, and LISTEN is \"{from.Name}\"");
            }

            _ = _tls.Apply(parsed, new ServerOptions { Doors = [] }, out _);
        }

        RelayedEnds ends = new(
            to,
            new EndOpening(parsed.GetValue(_connect).Time, via, framing, report.Terminal),
            parsed.GetValue(_wait).Time,
            logging.CreateLogger("relay"));
        return from switch
        {
            SocketTarget clients => await ServeAsync(parsed, clients.Endpoint, to[0], ends, report, logging),
            DatagramTarget peers => await RelayServer.RunAsync(
                Options(parsed, peers.Endpoint, EndService.OfPeers(ends, framing!, Idle(parsed)), logging, report),
                report, connected, Drain(parsed), ends),
            VsockTarget machines => await OneRelay.ServeAsync(machines, ends, report, Idle(parsed), Drain(parsed)),
            _ => await OneRelay.RunAsync(
                from, ends, report, parsed.IsGiven(_idle) ? Idle(parsed) : null),
        };
    }

    /// <summary>What can be open once has one connection at a time, and standard input and output have one in all.</summary>
    private async Task<int> ServeAsync(
        ParseResult parsed, Endpoint door, EndTarget to, RelayedEnds ends, RelayReport report, ILoggerFactory logging)
    {
        using CancellationTokenSource over = new();
        Service service = EndService.OfConnections(ends, to is StandardStreamsTarget ? over.Cancel : null);
        ServerOptions options = Options(parsed, door, service, logging, report);
        if (to.IsOne)
        {
            options = options with
            {
                MaxConnections = 1, AtLimit = _connections.AtLimitOf(parsed) ?? AtLimit.LeaveInBacklog,
            };
        }

        return await RelayServer.RunAsync(options, report, [], Drain(parsed), ends, over.Token);
    }

    private ServerOptions Options(ParseResult parsed, Endpoint door, Service service, ILoggerFactory logging, RelayReport report)
    {
        service = service with { StreamLimits = service.StreamLimits with { IdleTimeout = Idle(parsed) } };
        ServerOptions options = new() { Doors = [new DoorOptions { Endpoint = door, Service = service }], Logging = logging };
        options = _tls.Apply(parsed, _connections.Apply(parsed, _listening.Apply(parsed, options)), out ServedTls? tls);
        report.Tls = tls;
        return options;
    }

    private TimeSpan Idle(ParseResult parsed) => parsed.GetValue(_idle).Time;

    private TimeSpan Drain(ParseResult parsed) => parsed.GetValue(_drain).Time;

    private static int? ProxyVersion(string? word) => word switch
    {
        null => null,
        "v1" => 1,
        "v2" => 2,
        _ => throw new ArgumentException($"--proxy-protocol takes v1 or v2, not \"{PrintableText.Escape(word)}\""),
    };
}
