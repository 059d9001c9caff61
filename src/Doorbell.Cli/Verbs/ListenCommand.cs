using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell listen ENDPOINT…</c>: standard input and output joined to whoever connects, as <c>nc -l</c> does.</summary>
internal static class ListenCommand
{
    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public static Command Make(string[]? program)
    {
        Argument<string[]> endpoints = new("ENDPOINT")
        {
            Description = "Where: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path; a port alone is on localhost; "
                + "* as the host is every interface, port 0 any port",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<bool> keep = new("--keep", "-k")
        {
            Description = "Take the next connection when one has ended; of datagrams, take everyone's",
        };
        Option<bool> noHalfClose = new("--no-half-close") { Description = "Keep the sending side open after the end of standard input" };
        Option<bool> raw = new("--raw") { Description = "At a terminal, show control characters unescaped" };
        Option<Duration?> timeout = CommonOptions.OptionalDuration(
            "--timeout", "How long to wait for somebody to connect, or to send [default: for ever]");
        Option<bool> crlf = CommonOptions.CarriageReturns("Send CR and LF for each LF of standard input that has no CR");
        Option<Duration?> idle = CommonOptions.OptionalDuration(
            "--idle-timeout", "End a connection if no byte moves for so long [default: never]");
        Option<string[]> options = CommonOptions.SocketOptions();
        Option<bool> verbose = new("--verbose", "-v") { Description = "Say on standard error where it listens, and who comes" };
        ProgramArguments programs = new("Join a program to the connection instead, whose exit code is ours", program);
        Command command = new("listen", "Join standard input and output to whoever connects")
        {
            endpoints, keep, noHalfClose, raw, timeout, idle, crlf, options, verbose,
        };
        programs.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            Endpoint[] where = [.. EndpointWord.Join(parsed.GetValue(endpoints)!).Select(Endpoint.Parse)];
            ServiceProgram? joined = programs.Read(parsed);
            if (joined is not null)
            {
                RequireUnset(parsed, [noHalfClose, raw, idle, crlf]);
                RequireOnce(parsed.GetValue(keep));
                ProgramExecution.RequireExecutable(joined);
            }

            SocketOptionSetting[] settings = [.. (parsed.GetValue(options) ?? []).Select(SocketOptionSetting.Parse)];
            StopSignals.Listen();
            using Listener listener = await Listener.BindAsync(where, settings, StopSignals.First);
            await using CancellationTokenRegistration stopping = StopSignals.First.Register(() => End(listener));
            RequireOneKind(listener);
            bool tells = parsed.GetValue(verbose);
            Tell(listener, tells || where.Any(static each => each is { IsUnix: false, IsPassed: false, Port: 0 }));
            ListenedPeers peers = new(listener)
            {
                Keeps = parsed.GetValue(keep),
                Timeout = parsed.GetValue(timeout)?.Time,
                IdleTimeout = parsed.GetValue(idle)?.Time,
                Tells = tells,
            };
            if (joined is not null)
            {
                return await peers.JoinProgramAsync(joined);
            }

            using StandardOutput output = new(escape: !Console.IsOutputRedirected && !parsed.GetValue(raw));
            JoinedInput input = new(parsed.GetValue(crlf));
            return listener.Endpoints[0].IsStream
                ? await peers.JoinStreamsAsync(new StreamInput(input) { HalfCloses = !parsed.GetValue(noHalfClose) }, output)
                : await peers.JoinDatagramsAsync(input, output);
        });
        return command;
    }

    private static void RequireUnset(ParseResult parsed, IReadOnlyList<Option> options)
    {
        if (options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } set)
        {
            throw new ArgumentException(
                $"{set.Name} has no effect with --exec and --shell: the program has the socket itself, and reads and writes as it likes");
        }
    }

    private static void RequireOnce(bool keeps)
    {
        if (keeps)
        {
            throw new ArgumentException(
                "--keep excludes --exec and --shell: `doorbell serve` runs a program for each connection, "
                    + "with --max-connections 1 one after the other");
        }
    }

    private static void RequireOneKind(Listener listener)
    {
        if (listener.Endpoints.DistinctBy(static endpoint => endpoint.IsStream).Count() > 1)
        {
            throw new ArgumentException("streams and datagrams are listened for one at a time: give the others to a second doorbell listen");
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
