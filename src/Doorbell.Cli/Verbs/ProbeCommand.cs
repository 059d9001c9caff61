using System.CommandLine;
using System.Diagnostics;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell probe ENDPOINT…</c>: whether somebody serves there, as <c>nc -z</c> tells of a port.</summary>
internal static class ProbeCommand
{
    /// <summary>Of several endpoints and ranges; each is a descriptor.</summary>
    private const int MaxAtOnce = 64;

    private static readonly TimeSpan _greeting = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    public static Verb Make()
    {
        Argument<string[]> endpoints = new("ENDPOINT")
        {
            HelpName = "ENDPOINT",
            CompletionSources = { static _ => EndpointWord.Beginnings },
            Description = "Where: tcp://host:port, udp://host:port, coap://host:port, unix:///path, unix+dgram:///path; "
                + "several ports as 7000-7010; a host and a port may be two words",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<Duration> timeout = CommonOptions.Wait("--timeout", "Bounds each try", 2);
        Option<Duration> wait = CommonOptions.Duration("--wait", "Try again for so long, until each is open", 0);
        Option<bool> greeting = new("--greeting") { Description = "Streams: show the line that the service says first, within a second" };
        Option<bool> json = new("--json") { Description = "Print each endpoint as JSON, one a line" };
        ViaArguments proxies = new();
        Verb command = new(
            "probe",
            "Say whether somebody serves an endpoint: exit code 0 if so, 1 if not",
            [
                new("doorbell probe localhost 6789", "Connects, says so, and closes"),
                new("doorbell probe --wait 10 localhost:6789 coap://localhost", "Waits until both servers answer"),
                new("doorbell probe localhost:6780-6790", "Prints the open ports of a range"),
            ])
        {
            endpoints, timeout, wait, greeting, json,
        };
        proxies.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            PortRange[] ranges = [.. EndpointWord.Join(parsed.GetValue(endpoints)!).Select(Parse)];
            IReadOnlyList<TunnelProxy> via = proxies.Read(parsed, ranges.SelectMany(static range => range.Endpoints));
            Probe probe = new(parsed.GetValue(timeout).Time, parsed.GetValue(greeting) ? _greeting : TimeSpan.Zero, via);
            StandardOutput.BecomesConsole();
            int width = ranges.Max(static range => range.Endpoints.Max(static each => each.ToString().Length));
            ProbePrinter printer = new(Console.Out, parsed.GetValue(json), width);
            return await RunAsync(ranges, probe, parsed.GetValue(wait).Time, printer, cancellation);
        });
        return command;
    }

    private static PortRange Parse(string word)
    {
        CoapEndpoint.RefuseOtherSchemes(word);
        PortRange range = PortRange.Parse(word, CoapEndpoint.Schemes);
        EndpointWord.RequireConnectable(range.Endpoints[0]);
        return range;
    }

    /// <summary>
    /// All at once, up to a bound; printed in the order in which they were given. Of a range the open ports are printed, and one is enough.
    /// </summary>
    private static async Task<int> RunAsync(
        PortRange[] ranges, Probe probe, TimeSpan wait, ProbePrinter printer, CancellationToken cancellation)
    {
        using SemaphoreSlim places = new(MaxAtOnce);
        Task<ProbeResult[]>[] probes = [.. ranges.Select(range => ProbeAsync(range, probe, wait, places, cancellation))];
        bool all = true;
        for (int i = 0; i < ranges.Length; i++)
        {
            ProbeResult[] found = await probes[i];
            printer.Print(ranges[i].Word, found);
            all &= found.Any(static result => result.State == ProbeState.Open);
        }

        return all ? 0 : 1;
    }

    /// <summary>Tries each port of a range again, at least once a second, until one is open or the time is over.</summary>
    private static async Task<ProbeResult[]> ProbeAsync(
        PortRange range, Probe probe, TimeSpan wait, SemaphoreSlim places, CancellationToken cancellation)
    {
        long began = Stopwatch.GetTimestamp();
        for (TimeSpan pause = _firstPause; ; pause = pause * 2 < _longestPause ? pause * 2 : _longestPause)
        {
            ProbeResult[] found = await TryAllAsync();
            TimeSpan left = wait - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || found.Any(static result => result.State == ProbeState.Open))
            {
                return found;
            }

            await Task.Delay(pause < left ? pause : left, cancellation);
        }

        // No more tasks than places: a range may have 65,535 ports.
        async Task<ProbeResult[]> TryAllAsync()
        {
            ProbeResult[] found = new ProbeResult[range.Endpoints.Count];
            int next = -1;
            await Task.WhenAll(Enumerable.Range(0, Math.Min(found.Length, MaxAtOnce)).Select(async _ =>
            {
                for (int i = Interlocked.Increment(ref next); i < found.Length; i = Interlocked.Increment(ref next))
                {
                    await places.WaitAsync(cancellation);
                    try
                    {
                        found[i] = await probe.RunAsync(range.Endpoints[i], cancellation);
                    }
                    finally
                    {
                        places.Release();
                    }
                }
            }));
            return found;
        }
    }
}
