using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Doorbell.Cli.Impair;

namespace Doorbell.Cli;

/// <summary><c>doorbell impair LISTEN UPSTREAM</c>: a proxy that is a bad network.</summary>
internal static class ImpairCommand
{
    private static readonly TimeSpan _resolveTimeout = TimeSpan.FromSeconds(5);

    public static Command Make()
    {
        Argument<string> listen = new("LISTEN") { Description = "Where clients send to, as in udp://localhost:7000" };
        Argument<string> upstream = new("UPSTREAM") { Description = "Where that goes, as in udp://localhost:6789" };
        LinkArguments link = new();
        Option<long?> seed = new("--seed")
        {
            Description = "Of its chances: the same seed and datagrams, the same fates [default: another one each time]",
            HelpName = "N",
            CustomParser = static result =>
            {
                string text = result.Tokens[0].Value;
                if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
                {
                    return number;
                }

                result.AddError($"--seed takes a whole number of 64 bits, not \"{PeerText.Escape(text)}\"");
                return null;
            },
        };
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Command command = new("impair", "Pass datagrams on as a bad network does: lose, double, reorder, corrupt, delay them")
        {
            listen, upstream,
        };
        link.AddTo(command);
        command.Add(seed);
        command.Add(json);
        command.SetAction((parsed, _) =>
        {
            (LinkOptions up, LinkOptions down) = link.Read(parsed);
            long dice = parsed.GetValue(seed) ?? Random.Shared.Next();
            return RunAsync(
                Datagrams(parsed.GetValue(listen)!), Datagrams(parsed.GetValue(upstream)!), new ImpairedWay("up", up, dice),
                new ImpairedWay("down", down, ~dice), new ImpairReport(parsed.GetValue(json)));
        });
        return command;
    }

    private static Endpoint Datagrams(string text)
    {
        Endpoint endpoint = Endpoint.Parse(text);
        return endpoint.Transport == Transport.Udp
            ? endpoint
            : throw new ArgumentException($"impair carries datagrams between udp:// endpoints, and {endpoint} is none");
    }

    private static async Task<int> RunAsync(Endpoint listen, Endpoint upstream, ImpairedWay up, ImpairedWay down, ImpairReport report)
    {
        using StopSignals stop = new(PosixSignal.SIGINT, PosixSignal.SIGTERM);
        EndPoint address = (await Connector.AddressesAsync(upstream, _resolveTimeout, stop.First))[0];
        using (Connector.ConnectDatagrams(upstream, address))
        {
            // Only to learn at once that there is a way to it.
        }

        // What binds a server's sockets binds these; the service is asked for no more than that it speaks UDP.
        ServerOptions options = new() { Service = Echo.Service, Endpoints = [listen] };
        List<BoundSocket> doors = await new Binding(options, ServerModel.Async, []).BindAllAsync(stop.First);
        using DatagramProxy proxy = new(doors, upstream, address, up, down);
        report.Listening(doors, upstream, up.Link.Seed);
        await Task.Factory.StartNew(() => proxy.Run(stop.First), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        report.Summary(proxy);
        return 0;
    }
}
