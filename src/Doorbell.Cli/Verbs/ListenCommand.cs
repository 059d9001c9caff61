using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell listen ENDPOINT…</c>: standard input and output joined to whoever connects, as <c>nc -l</c> does.</summary>
internal sealed class ListenCommand
{
    private static readonly Example[] _examples =
    [
        new("doorbell listen -v localhost:7000 >copy", "Writes what the first one who connects sends into a file"),
        new("doorbell listen -v --keep udp://localhost:7000", "Prints the datagrams that come"),
        new("doorbell listen -v localhost:7000 --exec cat", "Joins a program to the first one who connects"),
    ];

    private readonly Argument<string[]> _endpoints = new("ENDPOINT")
    {
        Description = "Where: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path; a port alone is on localhost; "
            + "* as the host is every interface, port 0 any port",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _keep = new("--keep", "-k")
    {
        Description = "When a connection has ended, take the next one; of datagrams, take those of all senders",
    };

    private readonly Option<Duration?> _timeout = CommonOptions.OptionalDuration(
        "--timeout", "How long to wait for somebody to connect, or to send [default: for ever]");

    private readonly Option<string[]> _options = CommonOptions.SocketOptions();

    private readonly Option<bool> _verbose = new("--verbose", "-v")
    {
        Description = "Say on standard error where it listens, and who comes",
    };

    private readonly JoinArguments _join;

    private ListenCommand(string[]? program) => _join = new JoinArguments(program);

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public static Verb Make(string[]? program)
    {
        ListenCommand listen = new(program);
        Verb command = new("listen", "Join standard input and output to whoever connects", _examples)
        {
            listen._endpoints, listen._keep, listen._timeout, listen._options, listen._verbose,
        };
        listen._join.AddTo(command);
        command.SetAction((parsed, _) => listen.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        Endpoint[] where = [.. EndpointWord.Join(parsed.GetValue(_endpoints)!).Select(static word => EndpointWord.Parse(word))];
        ServiceProgram? program = _join.Program(parsed);
        if (program is not null)
        {
            RequireOnce(parsed.GetValue(_keep));
            ProgramExecution.RequireExecutable(program);
        }

        SocketOptionSetting[] settings = [.. (parsed.GetValue(_options) ?? []).Select(SocketOptionSetting.Parse)];
        StopSignals.Listen();
        using Listener listener = await Listener.BindAsync(where, settings, StopSignals.First);
        await using CancellationTokenRegistration stopping = StopSignals.First.Register(() => End(listener));
        RequireOneKind(listener);
        bool tells = parsed.GetValue(_verbose);
        Tell(listener, tells || where.Any(static each => each is { IsUnix: false, IsPassed: false, Port: 0 }));
        ListenedPeers peers = new(listener)
        {
            Keeps = parsed.GetValue(_keep),
            Timeout = parsed.GetValue(_timeout)?.Time,
            IdleTimeout = _join.IdleTimeout(parsed),
            Transfers = new Transfers(_join.Dumps(parsed) ? new HexDump(countsEach: !listener.Endpoints[0].IsStream) : null),
            Tells = tells,
        };
        if (program is not null)
        {
            return await peers.JoinProgramAsync(program);
        }

        using StandardOutput output = new(_join.Escapes(parsed));
        JoinedInput input = new(_join.AddsCarriageReturns(parsed));
        return listener.Endpoints[0].IsStream
            ? await peers.JoinStreamsAsync(
                new StreamInput(input) { HalfCloses = _join.HalfCloses(parsed), Transfers = peers.Transfers }, output)
            : await peers.JoinDatagramsAsync(input, output);
    }

    private static void RequireOnce(bool keeps)
    {
        if (keeps)
        {
            throw new ArgumentException(
                "--keep does not go with --exec and --shell: `doorbell serve` runs a program for each connection, "
                    + "with --max-connections 1 one after the other");
        }
    }

    private static void RequireOneKind(Listener listener)
    {
        if (listener.Endpoints.DistinctBy(static endpoint => endpoint.IsStream).Count() > 1)
        {
            throw new ArgumentException(
                "streams and datagrams are listened for one at a time: give the others to a second doorbell listen");
        }
    }

    private static void Tell(Listener listener, bool tellsWhere)
    {
        foreach (SocketOptionOutcome outcome in listener.SocketOptions.Where(static outcome => outcome.Differs))
        {
            Failure.Post($"{outcome.Target}: {outcome}");
        }

        foreach (Endpoint endpoint in listener.Endpoints.Where(_ => tellsWhere))
        {
            Failure.Post($"listening on {endpoint}");
        }
    }

    /// <summary>The file of a unix socket goes before the process does.</summary>
    private static void End(Listener listener)
    {
        listener.Dispose();
        Environment.Exit(StopSignals.EndProcess());
    }
}
