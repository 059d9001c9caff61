using System.Text.Json;
using Doorbell.Lab.Impair.Proxies;

namespace Doorbell.Cli.Printing.Impair;

/// <summary>What <c>impair</c> prints: a line a door, and a summary; for people, or as JSON.</summary>
internal sealed class ImpairReport(bool json)
{
    /// <summary>Whether people read it, not programs.</summary>
    public bool IsForPeople => !json;

    public void Listening(IReadOnlyList<Endpoint> doors, Endpoint upstream, long seed)
    {
        foreach (Endpoint door in doors)
        {
            JsonLine.Print(
                json,
                $"impairing {upstream} (seed {seed}) on {door}",
                writer =>
                {
                    writer.WriteString("event", "listening");
                    writer.WriteString("endpoint", door.ToString());
                    writer.WriteString("upstream", upstream.ToString());
                    writer.WriteNumber("seed", seed);
                });
        }
    }

    public void Summary(ImpairProxy proxy)
    {
        WayReading up = proxy.ReadUp();
        WayReading down = proxy.ReadDown();
        IReadOnlyList<(string Name, long Count)> others = proxy.ReadOthers();
        JsonLine.Print(
            json,
            string.Join(Environment.NewLine, Line(up, proxy.Unit), Line(down, proxy.Unit), string.Join(", ", others.Select(InWords))),
            writer =>
            {
                writer.WriteString("event", "summary");
                Write(writer, others);
                Write(writer, up);
                Write(writer, down);
            });
    }

    private static string Line(WayReading way, string unit)
    {
        string causes = string.Join(", ", way.Drops.Where(static drop => drop.Count > 0).Select(InWords));
        return $"{way.Name}: {Plural.Of(way.Received, unit[..^1])} received, {way.Forwarded} forwarded, {way.Dropped} dropped"
            + (causes.Length == 0 ? "" : $" ({causes})")
            + string.Concat(way.Others.Select(static other => $", {InWords(other)}"));
    }

    private static string InWords((string Name, long Count) counted) =>
        $"{counted.Count} {JsonNamingPolicy.KebabCaseLower.ConvertName(counted.Name).Replace('-', ' ')}";

    private static void Write(Utf8JsonWriter writer, WayReading way)
    {
        writer.WriteStartObject(way.Name);
        writer.WriteNumber("received", way.Received);
        writer.WriteNumber("forwarded", way.Forwarded);
        Write(writer, way.Others);
        writer.WriteStartObject("dropped");
        Write(writer, way.Drops);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, IEnumerable<(string Name, long Count)> counts)
    {
        foreach ((string name, long count) in counts)
        {
            writer.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(name), count);
        }
    }
}
