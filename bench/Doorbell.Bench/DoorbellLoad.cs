using System.Diagnostics;
using System.Text.Json;

namespace Doorbell.Bench;

/// <summary><c>doorbell load</c> in place of the load in C. The server's processor time is read here, at both ends of the window.</summary>
internal static class DoorbellLoad
{
    private const double NanosecondsPerSecond = 1e9;

    private static readonly TimeSpan _slack = TimeSpan.FromSeconds(30);

    /// <summary>Its words for a way to ask of the load in C; null if it knows none.</summary>
    public static IReadOnlyList<string>? WordsFor(IReadOnlyList<string> work, int port)
    {
        string[]? way = work[0] switch
        {
            "closed-loop" or "open-loop" => [$"tcp://127.0.0.1:{port}"],
            "connect-each" => [$"tcp://127.0.0.1:{port}", "--reconnect"],
            "datagrams" => [$"udp://127.0.0.1:{port}", "--timeout", "200ms"],
            _ => null,
        };
        if (way is null || work.Contains("--active"))
        {
            return null;
        }

        IEnumerable<string> options = work.Skip(1).Select(static word => word switch
        {
            "--depth" => "--pipeline",
            "--bytes" => "--size",
            _ => word,
        });
        return [.. way, .. options, "--expect", "capitals", "--json"];
    }

    /// <summary>Asks for so long, and tells what it took.</summary>
    /// <exception cref="BenchException">The server answered wrongly or not at all.</exception>
    public static async Task<LoadReport> RunAsync(
        string program, RunningServer server, IReadOnlyList<string> words, TimeSpan warmUp, TimeSpan length, CancellationToken cancellation)
    {
        string[] times = ["--warmup", Load.Seconds(warmUp), "--duration", Load.Seconds(length)];
        await using Child load = Child.Start(server.Server.Name, Load.Processor, [program, "load", .. words, .. times]);
        await load.ReadLineAsync(warmUp + _slack, cancellation); // it measures from here
        long cpuBefore = server.CpuNanoseconds();
        long began = Stopwatch.GetTimestamp();
        string line = await load.ReadLineAsync(length + _slack, cancellation);
        double share = (server.CpuNanoseconds() - cpuBefore) / Stopwatch.GetElapsedTime(began).TotalNanoseconds;
        using JsonDocument summary = JsonDocument.Parse(line);
        return Load.Accept(server.Server, ReportOf(summary.RootElement, share));
    }

    /// <param name="summary">What it has said at its end.</param>
    /// <param name="serverShare">The part of the time in which the server's processor was the server's.</param>
    private static LoadReport ReportOf(JsonElement summary, double serverShare)
    {
        double nanoseconds = summary.GetProperty("seconds").GetDouble() * NanosecondsPerSecond;
        Dictionary<string, long> errors = summary.GetProperty("errors").EnumerateObject()
            .ToDictionary(static error => error.Name, static error => error.Value.GetInt64());
        long wrong = errors.GetValueOrDefault("wrong") + errors.GetValueOrDefault("unasked") + errors.GetValueOrDefault("doubled");
        long lost = errors.GetValueOrDefault("timeout");
        long late = errors.GetValueOrDefault("late");
        bool isDatagrams = summary.GetProperty("endpoint").GetString()!.StartsWith("udp", StringComparison.Ordinal);
        long failed = errors.Values.Sum() - wrong - late - (isDatagrams ? lost : 0);
        JsonElement latency = summary.GetProperty("latencyMicroseconds");
        long Of(string name) => (long)(latency.GetProperty(name).GetDouble() * 1e3);
        return new LoadReport(
            summary.GetProperty("requests").GetInt64(), summary.GetProperty("bytesReceived").GetInt64(), (long)nanoseconds,
            (long)(serverShare * nanoseconds), (long)(summary.GetProperty("cpuSeconds").GetDouble() * NanosecondsPerSecond),
            wrong, failed, isDatagrams ? lost : 0, late, new Percentiles(Of("p50"), Of("p90"), Of("p99"), Of("p999"), Of("max")), null);
    }
}
