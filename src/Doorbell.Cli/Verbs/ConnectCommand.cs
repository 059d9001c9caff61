using System.CommandLine;
using System.Net.Sockets;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Coap;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell connect ENDPOINT</c>: standard input and output joined to a socket.</summary>
internal static class ConnectCommand
{
    private static readonly Example[] _examples =
    [
        new("doorbell connect localhost 6789", "Sends what you type, and prints what comes"),
        new("printf 'one\\ntwo\\n' | doorbell connect tcp://localhost:6789", "Sends all of standard input"),
        new("echo hello | doorbell connect --wait 200ms udp://localhost:9876", "Sends a datagram, and prints the answer"),
    ];

    public static Verb Make()
    {
        Argument<string> endpoint = new("ENDPOINT")
        {
            Description = "Where to: tcp://host:port, udp://host:port, unix:///path, unix+dgram:///path",
        };
        Argument<string?> port = new("PORT")
        {
            Description = "The port, if ENDPOINT is a host alone",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> noHalfClose = new("--no-half-close") { Description = "Keep the sending side open after the end of standard input" };
        Option<bool> raw = new("--raw") { Description = "At a terminal, show control characters unescaped" };
        Option<Duration> timeout = CommonOptions.Wait("--timeout", "Bounds connecting", 5);
        Option<Duration> wait = CommonOptions.Duration(
            "--wait", "Datagrams: how long to wait for answers after the end of standard input", 1);
        Option<bool> crlf = CommonOptions.CarriageReturns("Send CR and LF for each LF of standard input that has no CR");
        Option<Duration?> idle = CommonOptions.OptionalDuration("--idle-timeout", "End if no byte moves for so long [default: never]");
        Option<int?> tries = CommonOptions.Number(
            "--tries", "Streams: connect at most so often, after longer and longer waits [default: 1]", 1, 100);
        ClientArguments sockets = new();
        Verb command = new("connect", "Join standard input and output to a connection or a datagram socket", _examples)
        {
            endpoint, port, noHalfClose, raw, timeout, tries, idle, wait, crlf,
        };
        sockets.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            string target = Target(parsed.GetValue(endpoint)!, parsed.GetValue(port));
            CoapEndpoint.RefuseOtherSchemes(target);
            if (CoapUri.IsMeant(target))
            {
                throw new ArgumentException(
                    $"connect joins bytes and speaks no CoAP: ask a resource with doorbell ask {PrintableText.Escape(target)}");
            }

            Endpoint where = Endpoint.Parse(target, CoapService.Scheme);
            ClientOptions client = sockets.Read(parsed, Failure.Say);
            TimeSpan limit = parsed.GetValue(timeout).Time;
            using StandardOutput output = new(escape: !Console.IsOutputRedirected && !parsed.GetValue(raw));
            JoinedInput input = new(parsed.GetValue(crlf));
            if (!where.IsStream)
            {
                using DatagramJoin join = new(where, await Connector.AddressesAsync(where, limit, client, CancellationToken.None), client)
                {
                    Wait = parsed.GetValue(wait).Time, IdleTimeout = parsed.GetValue(idle)?.Time,
                };
                return await join.RunAsync(input, output);
            }

            using Socket socket = await ConnectTries.RunAsync(
                parsed.GetValue(tries) ?? 1, limit, left => Connector.ConnectAsync(where, left, client, CancellationToken.None));
            return await new StreamJoin(where, socket, input, output)
            {
                HalfCloses = !parsed.GetValue(noHalfClose), IdleTimeout = parsed.GetValue(idle)?.Time,
            }.RunAsync();
        });
        return command;
    }

    private static string Target(string endpoint, string? port) => port switch
    {
        null => endpoint,
        _ when EndpointWord.IsHostAndPort(endpoint, port) => EndpointWord.HostAndPort(endpoint, port),
        _ => throw new ArgumentException(
            $"\"{PrintableText.Escape(port)}\" is one word too many: ENDPOINT is one word, or a host and a port, as in localhost 6789"),
    };
}
