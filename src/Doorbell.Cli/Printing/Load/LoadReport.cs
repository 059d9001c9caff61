using System.Globalization;
using System.Text.Json;
using Doorbell.Cli.Arguments;
using Doorbell.Lab.Load;

namespace Doorbell.Cli.Printing.Load;

/// <summary>What a load test has found, as lines for people or as JSON.</summary>
/// <param name="options">What was asked for.</param>
/// <param name="target">Who was asked, as the user has it: a CoAP resource is more than its endpoint.</param>
/// <param name="json">Whether programs read it.</param>
internal sealed class LoadReport(LoadOptions options, string target, bool json)
{
    private const double Busy = 0.9;

    private static readonly (string Name, double Percent)[] _percentiles =
        [("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9), ("p9999", 99.99)];

    /// <summary>The time begins that is measured: for a program that measures the server.</summary>
    public void Measuring()
    {
        if (json)
        {
            Console.Out.WriteLine(JsonLine.Of(static writer => writer.WriteString("event", "measuring")));
        }
    }

    public void Summary(LoadResult result) =>
        Console.Out.WriteLine(json ? JsonLine.Of(writer => Write(writer, result)) : string.Join(Environment.NewLine, Lines(result)));

    /// <summary>A time in the unit in which it is easily read.</summary>
    public static string Text(long nanoseconds) => nanoseconds switch
    {
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e3:0.#} µs"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e6:0.##} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e9:0.##} s"),
    };

    private IEnumerable<string> Lines(LoadResult result)
    {
        yield return $"measured   {Seconds(result.Measured)} on {target}: {Kind}{(result.IsInterrupted ? "; ended early" : "")}";
        yield return string.Create(
            CultureInfo.InvariantCulture, $"requests   {result.Requests:#,0}; {result.RequestsPerSecond:#,0} a second");
        if (result.Requests > 0)
        {
            double seconds = result.Measured.TotalSeconds;
            yield return $"bytes      {Size(result.BytesSent / seconds)} a second sent, {Size(result.BytesReceived / seconds)} received";
            yield return $"latency    50% {At(result, 50)}, 90% {At(result, 90)}, 99% {At(result, 99)}, 99.9% {At(result, 99.9)}, "
                + $"longest {Text(result.Latency.Max)}";
        }

        yield return result.Errors.Count == 0
            ? "errors     none"
            : $"errors     {string.Join(", ", result.Errors.OrderBy(static error => error.Key).Select(InWords))}";
        if (result.Unsent > 0)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"not sent   {result.Unsent:#,0} requests were due, and no connection had room for them");
        }

        double share = result.Measured > TimeSpan.Zero ? result.Cpu / result.Measured : 0;
        if (share > Busy && options.Rate is null)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"note       the load itself used {share:0%} of a processor: it may be what limits the rate");
        }
    }

    private string Kind
    {
        get
        {
            string connections = options.Connections == 1 ? "1 connection" : $"{options.Connections} connections";
            string each = options.Reconnect ? ", a new one for each question"
                : options.Pipeline > 1 ? $", {options.Pipeline} questions under way on each" : "";
            return connections + each + (options.Rate is { } rate
                ? string.Create(CultureInfo.InvariantCulture, $", {rate:#,0.###} questions a second")
                : ", each asks when it has an answer");
        }
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.##} s");

    private static string At(LoadResult result, double percent) => Text(result.Latency.Percentile(percent));

    private static string Size(double bytes) => bytes < 1024
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes:0} bytes")
        : $"{SizeText.Of((long)bytes)[..^1]} {char.ToUpperInvariant(SizeText.Of((long)bytes)[^1])}iB";

    private static string InWords(KeyValuePair<string, long> error) =>
        string.Create(CultureInfo.InvariantCulture, $"{error.Key} {error.Value:#,0}");

    private void Write(Utf8JsonWriter writer, LoadResult result)
    {
        writer.WriteString("event", "summary");
        writer.WriteString("endpoint", target);
        writer.WriteNumber("connections", options.Connections);
        writer.WriteNumber("pipeline", options.Pipeline);
        writer.WriteBoolean("reconnect", options.Reconnect);
        if (options.Rate is { } rate)
        {
            writer.WriteNumber("rate", rate);
        }

        writer.WriteNumber("seconds", Math.Round(result.Measured.TotalSeconds, 6));
        writer.WriteNumber("requests", result.Requests);
        writer.WriteNumber("requestsPerSecond", Math.Round(result.RequestsPerSecond, 1));
        writer.WriteNumber("bytesSent", result.BytesSent);
        writer.WriteNumber("bytesReceived", result.BytesReceived);
        writer.WriteStartObject("latencyMicroseconds");
        writer.WriteNumber("mean", Math.Round(result.Latency.Mean / 1e3, 3));
        foreach ((string name, double percent) in _percentiles)
        {
            writer.WriteNumber(name, result.Latency.Percentile(percent) / 1e3);
        }

        writer.WriteNumber("max", result.Latency.Max / 1e3);
        writer.WriteEndObject();
        writer.WriteStartObject("errors");
        foreach ((string kind, long count) in result.Errors)
        {
            writer.WriteNumber(kind, count);
        }

        writer.WriteEndObject();
        writer.WriteNumber("unsent", result.Unsent);
        writer.WriteNumber("cpuSeconds", Math.Round(result.Cpu.TotalSeconds, 6));
        writer.WriteBoolean("interrupted", result.IsInterrupted);
    }
}
