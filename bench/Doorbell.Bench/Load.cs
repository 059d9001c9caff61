using System.Globalization;
using System.Text.Json;

namespace Doorbell.Bench;

/// <summary>Runs the load generator against a server, on a processor of its own.</summary>
internal static class Load
{
    public const int Processor = 1;

    private static readonly TimeSpan _slack = TimeSpan.FromSeconds(30);
    private static readonly JsonSerializerOptions _camelCase = new(JsonSerializerDefaults.Web);

    /// <summary>Starts it.</summary>
    /// <param name="program">The load generator.</param>
    /// <param name="server">Whom it asks.</param>
    /// <param name="work">The way to ask, and its numbers.</param>
    public static Child Start(LoadProgram program, RunningServer server, IReadOnlyList<string> work) =>
        Child.Start($"{server.Server.Name}", Processor, [program.File, .. work, "--port", $"{server.Port}", "--server", $"{server.Id}"]);

    /// <summary>Asks for so long, and tells what it took.</summary>
    /// <exception cref="BenchException">The server answered wrongly or not at all.</exception>
    public static async Task<LoadReport> RunAsync(
        LoadProgram program, RunningServer server, IReadOnlyList<string> work, TimeSpan warmUp, TimeSpan length,
        CancellationToken cancellation)
    {
        if (program.Doorbell is { } doorbell && DoorbellLoad.WordsFor(work, server.Port) is { } words)
        {
            return await DoorbellLoad.RunAsync(doorbell, server, words, warmUp, length, cancellation);
        }

        string[] times = ["--warm-up", Seconds(warmUp), "--seconds", Seconds(length)];
        await using Child load = Start(program, server, [.. work, .. times]);
        return Parse(server.Server, await load.ReadLineAsync(warmUp + length + _slack, cancellation));
    }

    /// <summary>Makes sure that a server does what all of them must do.</summary>
    /// <exception cref="BenchException">It does not.</exception>
    public static async Task CheckAsync(LoadProgram program, RunningServer server, CancellationToken cancellation)
    {
        await using Child load = Start(program, server, ["check"]);
        await load.ReadLineAsync(_slack, cancellation);
    }

    /// <exception cref="BenchException">The server answered wrongly.</exception>
    public static LoadReport Parse(Server server, string line) =>
        Accept(server, JsonSerializer.Deserialize<LoadReport>(line, _camelCase)!);

    /// <exception cref="BenchException">The server answered wrongly.</exception>
    public static LoadReport Accept(Server server, LoadReport report)
    {
        return (report.Wrong, report.Failed, report.Requests) switch
        {
            ( > 0, _, _) => throw new BenchException($"{server.Name}: {report.Wrong} wrong answers"),
            (_, > 0, _) => throw new BenchException($"{server.Name}: {report.Failed} connections failed"),
            (_, _, 0) => throw new BenchException($"{server.Name}: no answer in the measured time"),
            _ => report,
        };
    }

    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}
