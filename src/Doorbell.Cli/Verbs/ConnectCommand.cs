using System.CommandLine;
using System.Net.Sockets;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Coap;
using Doorbell.Sessions;
using Doorbell.Tls;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell connect ENDPOINT</c>: standard input and output joined to a socket.</summary>
internal sealed class ConnectCommand
{
    private static readonly Example[] _examples =
    [
        new("doorbell connect localhost 6789", "Sends what you type, and prints what comes"),
        new("printf 'one\\ntwo\\n' | doorbell connect tcp://localhost:6789", "Sends all of standard input"),
        new("echo hello | doorbell connect --wait 200ms udp://localhost:9876", "Sends a datagram, and prints the answer"),
        new("doorbell connect localhost:6789 --shell 'echo hello; head -n1 >&2'", "Joins a program instead"),
    ];

    private readonly Argument<string?> _endpoint = new("ENDPOINT")
    {
        Arity = ArgumentArity.ZeroOrOne,
        HelpName = "ENDPOINT",
        CompletionSources = { static _ => EndpointWord.Beginnings },
        Description = "Where to: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path "
            + "[default: with --replay, the recording's]",
    };

    private readonly Argument<string?> _port = new("PORT")
    {
        Description = "The port, if ENDPOINT is a host alone",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<Duration> _timeout = CommonOptions.Wait("--timeout", "Bounds connecting", 5);
    private readonly Option<Duration> _wait = CommonOptions.Duration(
        "--wait", "Datagrams: how long to wait for answers after the end of standard input", 1);

    private readonly Option<int?> _tries = CommonOptions.Number(
        "--tries", "Streams: connect at most so often, after longer and longer waits [default: 1]", 1, 100);

    private readonly Option<string?> _record = new("--record")
    {
        Description = "Streams: write what goes both ways, with its times, into this file",
        HelpName = "FILE",
    };

    private readonly Option<string?> _replay = new("--replay")
    {
        Description = "Streams: send what the client of this recording has sent, and compare the answers; exit code 1 if one differs",
        HelpName = "FILE",
    };

    private readonly ClientArguments _sockets = new();
    private readonly ViaArguments _proxies = new();
    private readonly TlsClientArguments _tls = new(hasFlag: true);
    private readonly JoinArguments _join;

    private ConnectCommand(string[]? program) => _join = new JoinArguments(program);

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public static Verb Make(string[]? program)
    {
        ConnectCommand connect = new(program);
        Verb command = new("connect", "Join standard input and output to a connection or a datagram socket", _examples)
        {
            connect._endpoint, connect._port, connect._timeout, connect._tries, connect._wait, connect._record,
            connect._replay,
        };
        connect._join.AddTo(command);
        connect._sockets.AddTo(command);
        connect._proxies.AddTo(command);
        connect._tls.AddTo(command);
        command.SetAction((parsed, _) => connect.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        string target = Target(parsed.GetValue(_endpoint) ?? Recorded(parsed), parsed.GetValue(_port));
        CoapEndpoint.RefuseOtherSchemes(target);
        if (CoapUri.IsMeant(target))
        {
            throw new ArgumentException(
                $"connect joins bytes and speaks no CoAP: ask a resource with doorbell ask {PrintableText.Escape(target)}");
        }

        Endpoint where = _sockets.OnInterface(parsed, EndpointWord.Parse(target, [.. CoapEndpoint.Schemes, TlsScheme.Scheme]));
        EndpointWord.RequireConnectable(where);
        ClientOptions client = _sockets.Read(parsed, Failure.Say, where);
        IReadOnlyList<TunnelProxy> via = _proxies.Read(parsed, where);
        IReadOnlyList<Func<ConnectionInfo, StreamLayer>> layers = _tls.Read(parsed, Failure.Say, where)(where);
        TimeSpan limit = parsed.GetValue(_timeout).Time;
        if (_join.Program(parsed, _wait, _record, _replay) is { } program)
        {
            if (layers.Count > 0)
            {
                throw new ArgumentException("--exec and --shell give the connection itself to a program, which would have to speak TLS");
            }

            ProgramExecution.RequireExecutable(program);
            Socket given = where.IsStream
                ? await ConnectAsync()
                : Connector.ConnectDatagrams(
                    where, (await Connector.AddressesAsync(where, limit, client, CancellationToken.None))[0], client);
            JoinedProgram.Become(program, given, where);
        }

        Transfers transfers = new(_join.Dumps(parsed) ? new HexDump(countsEach: !where.IsStream) : null);
        if (!where.IsStream)
        {
            RequireUnset(parsed, where);
            using StandardOutput answers = new(_join.Escapes(parsed));
            using DatagramJoin join = new(where, await Connector.AddressesAsync(where, limit, client, CancellationToken.None), client)
            {
                Wait = parsed.GetValue(_wait).Time, IdleTimeout = _join.IdleTimeout(parsed), Transfers = transfers,
            };
            return await join.RunAsync(new JoinedInput(_join.AddsCarriageReturns(parsed)), answers);
        }

        return parsed.GetValue(_replay) is { } recorded
            ? await ReplayAsync(parsed, recorded, where, ConnectAsync, transfers)
            : await JoinAsync(parsed, where, ConnectAsync, transfers);

        Task<Socket> ConnectAsync() => ConnectTries.RunAsync(
            parsed.GetValue(_tries) ?? 1, limit, left => new Connecting(client, via, layers).ConnectAsync(where, left));
    }

    private async Task<int> JoinAsync(ParseResult parsed, Endpoint where, Func<Task<Socket>> connectAsync, Transfers transfers)
    {
        using StandardOutput output = new(_join.Escapes(parsed));
        using Socket socket = await connectAsync();
        using Recording? recording = parsed.GetValue(_record) is { } file ? Recording.Create(file, where) : null;
        transfers = transfers with { Recording = recording };
        StreamInput sent = new(new JoinedInput(_join.AddsCarriageReturns(parsed)))
        {
            HalfCloses = _join.HalfCloses(parsed), Transfers = transfers,
        };
        return await new StreamJoin("connect", where.ToString(), socket, sent, output)
        {
            IdleTimeout = _join.IdleTimeout(parsed), Transfers = transfers,
        }.RunAsync();
    }

    private async Task<int> ReplayAsync(
        ParseResult parsed, string file, Endpoint where, Func<Task<Socket>> connectAsync, Transfers transfers)
    {
        if (parsed.GetValue(_record) is not null)
        {
            throw new ArgumentException("--record and --replay exclude each other");
        }

        // A file that is no recording is told before anybody is connected to.
        _ = RecordedEvent.Read(file).FirstOrDefault();
        using Socket socket = await connectAsync();
        using Replay replay = new(file, socket, where.ToString(), parsed.GetValue(_timeout).Time) { Transfers = transfers };
        return await replay.RunAsync() is { } difference ? Failure.Network(difference) : 0;
    }

    private void RequireUnset(ParseResult parsed, Endpoint datagrams)
    {
        if (parsed.GetValue(_record) is not null || parsed.GetValue(_replay) is not null)
        {
            throw new ArgumentException($"--record and --replay are for streams, and {datagrams} carries datagrams");
        }
    }

    private string Recorded(ParseResult parsed) => parsed.GetValue(_replay) is { } file
        ? RecordedEvent.EndpointOf(file)
        : throw new ArgumentException("ENDPOINT is missing (doorbell connect --help lists what there is)");

    private static string Target(string endpoint, string? port) => port switch
    {
        null => endpoint,
        _ when EndpointWord.IsHostAndPort(endpoint, port) || EndpointWord.IsHostAndService(endpoint, port) =>
            EndpointWord.HostAndPort(endpoint, port),
        _ => throw new ArgumentException(
            $"\"{PrintableText.Escape(port)}\" is one word too many: ENDPOINT is one word, or a host and a port, as in localhost 6789"),
    };
}
