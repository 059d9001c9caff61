using System.Text.Json;
using Doorbell.Lab.Models;

namespace Doorbell.Cli.Printing.Models;

/// <summary>What was measured, as one JSON object a line and model.</summary>
internal static class ModelsJson
{
    public static string Line(ModelResult result, Schedule schedule) => JsonLine.Of(writer =>
    {
        writer.WriteString("model", result.Model);
        if (result.Error is not null)
        {
            writer.WriteString("error", result.Error);
            return;
        }

        WriteLoad(writer, "connectEachTime", result.ConnectEachTime);
        WriteLoad(writer, "pingPong", result.PingPong);
        WriteIdle(writer, result.Idle!);
        WriteWaits(writer, result.Waits, schedule.Cap);
    });

    private static void WriteLoad(Utf8JsonWriter writer, string name, IReadOnlyList<Slice> rounds)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("connections", rounds.Min(static round => round.Connections));
        writer.WriteNumber("requests", rounds.Sum(static round => round.Latencies.Length));
        WriteRounds(writer, "requestsPerSecond", Rounds.Of(rounds, static round => round.RequestsPerSecond));
        WriteRounds(writer, "cpuMicrosecondsPerRequest", Rounds.Of(rounds, static round => round.CpuPerRequest));
        WriteRounds(writer, "p50Microseconds", Rounds.Of(rounds, static round => round.Percentile(50)));
        WriteRounds(writer, "p99Microseconds", Rounds.Of(rounds, static round => round.Percentile(99)));
        writer.WriteEndObject();
    }

    private static void WriteRounds(Utf8JsonWriter writer, string name, Rounds rounds)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("median", Math.Round(rounds.Median, 2));
        writer.WriteNumber("lowest", Math.Round(rounds.Lowest, 2));
        writer.WriteNumber("highest", Math.Round(rounds.Highest, 2));
        writer.WriteEndObject();
    }

    private static void WriteIdle(Utf8JsonWriter writer, IdleMemory idle)
    {
        writer.WriteStartObject("idle");
        writer.WriteNumber("opened", idle.Opened);
        writer.WriteNumber("held", idle.Held);
        writer.WriteNumber("waiting", idle.Waiting);
        writer.WriteNumber("notConnected", idle.Opened - idle.Connected);
        writer.WriteNumber("processes", idle.Processes);
        if (idle.PerConnection is { } bytes)
        {
            writer.WriteNumber("bytesPerConnection", Math.Round(bytes));
        }
        else
        {
            writer.WriteNull("bytesPerConnection");
        }

        writer.WriteEndObject();
    }

    private static void WriteWaits(Utf8JsonWriter writer, IReadOnlyList<TimeSpan?> waits, TimeSpan cap)
    {
        writer.WriteStartArray("newClientWaits");
        foreach ((int slow, TimeSpan? wait) in ModelsBench.SlowClientCounts.Zip(waits))
        {
            writer.WriteStartObject();
            writer.WriteNumber("slowClients", slow);
            writer.WriteNumber(wait is null ? "moreThanMilliseconds" : "milliseconds", Math.Round((wait ?? cap).TotalMilliseconds, 3));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
