using System.CommandLine;
using System.Net.Sockets;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Coap;

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

    private readonly Argument<string> _endpoint = new("ENDPOINT")
    {
        Description = "Where to: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path",
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

    private readonly ClientArguments _sockets = new();
    private readonly ViaArguments _proxies = new();
    private readonly JoinArguments _join;

    private ConnectCommand(string[]? program) => _join = new JoinArguments(program);

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public static Verb Make(string[]? program)
    {
        ConnectCommand connect = new(program);
        Verb command = new("connect", "Join standard input and output to a connection or a datagram socket", _examples)
        {
            connect._endpoint, connect._port, connect._timeout, connect._tries, connect._wait,
        };
        connect._join.AddTo(command);
        connect._sockets.AddTo(command);
        connect._proxies.AddTo(command);
        command.SetAction((parsed, _) => connect.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        string target = Target(parsed.GetValue(_endpoint)!, parsed.GetValue(_port));
        CoapEndpoint.RefuseOtherSchemes(target);
        if (CoapUri.IsMeant(target))
        {
            throw new ArgumentException(
                $"connect joins bytes and speaks no CoAP: ask a resource with doorbell ask {PrintableText.Escape(target)}");
        }

        Endpoint where = _sockets.OnInterface(parsed, EndpointWord.Parse(target, CoapService.Scheme));
        ClientOptions client = _sockets.Read(parsed, Failure.Say, where);
        IReadOnlyList<TunnelProxy> via = _proxies.Read(parsed, where);
        TimeSpan limit = parsed.GetValue(_timeout).Time;
        if (_join.Program(parsed, _wait) is { } program)
        {
            ProgramExecution.RequireExecutable(program);
            Socket given = where.IsStream
                ? await ConnectAsync()
                : Connector.ConnectDatagrams(
                    where, (await Connector.AddressesAsync(where, limit, client, CancellationToken.None))[0], client);
            JoinedProgram.Become(program, given, where);
        }

        using StandardOutput output = new(_join.Escapes(parsed));
        JoinedInput input = new(_join.AddsCarriageReturns(parsed));
        if (!where.IsStream)
        {
            using DatagramJoin join = new(where, await Connector.AddressesAsync(where, limit, client, CancellationToken.None), client)
            {
                Wait = parsed.GetValue(_wait).Time, IdleTimeout = _join.IdleTimeout(parsed),
            };
            return await join.RunAsync(input, output);
        }

        using Socket socket = await ConnectAsync();
        StreamInput sent = new(input) { HalfCloses = _join.HalfCloses(parsed) };
        return await new StreamJoin("connect", where.ToString(), socket, sent, output)
        {
            IdleTimeout = _join.IdleTimeout(parsed),
        }.RunAsync();

        Task<Socket> ConnectAsync() => ConnectTries.RunAsync(
            parsed.GetValue(_tries) ?? 1, limit, left => Connector.ConnectAsync(where, left, client, via, CancellationToken.None));
    }

    private static string Target(string endpoint, string? port) => port switch
    {
        null => endpoint,
        _ when EndpointWord.IsHostAndPort(endpoint, port) || EndpointWord.IsHostAndService(endpoint, port) =>
            EndpointWord.HostAndPort(endpoint, port),
        _ => throw new ArgumentException(
            $"\"{PrintableText.Escape(port)}\" is one word too many: ENDPOINT is one word, or a host and a port, as in localhost 6789"),
    };
}
