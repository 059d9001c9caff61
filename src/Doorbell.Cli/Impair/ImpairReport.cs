using System.Text.Json;

namespace Doorbell.Cli.Impair;

/// <summary>What <c>impair</c> prints: a line a door, and a summary; for people, or as JSON.</summary>
internal sealed class ImpairReport(bool json)
{
    public void Listening(IReadOnlyList<BoundSocket> doors, Endpoint upstream, long seed)
    {
        foreach (Endpoint door in doors.Select(static bound => bound.Door.Endpoint))
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

    public void Summary(DatagramProxy proxy)
    {
        ClientTable clients = proxy.Clients;
        JsonLine.Print(
            json,
            $"{Line(proxy.Up)}{Environment.NewLine}{Line(proxy.Down)}{Environment.NewLine}"
                + $"{clients.Seen} clients, {clients.Evicted} of them evicted; the upstream refused {proxy.Refused}",
            writer =>
            {
                writer.WriteString("event", "summary");
                writer.WriteNumber("clients", clients.Seen);
                writer.WriteNumber("clientsEvicted", clients.Evicted);
                writer.WriteNumber("refused", proxy.Refused);
                Write(writer, proxy.Up);
                Write(writer, proxy.Down);
            });
    }

    private static string Line(ImpairedWay way)
    {
        LinkCounts link = way.Link.ReadCounts();
        (string Name, long Count)[] drops = [.. Drops(way, link).Where(static drop => drop.Count > 0)];
        string causes = string.Join(", ", drops.Select(static drop =>
            $"{drop.Count} {JsonNamingPolicy.KebabCaseLower.ConvertName(drop.Name).Replace('-', ' ')}"));
        return $"{way.Name}: {link.Received} received, {way.Forwarded} forwarded, {drops.Sum(static drop => drop.Count)} dropped"
            + (causes.Length == 0 ? "" : $" ({causes})")
            + $"; {link.Duplicated} duplicated, {link.Reordered} reordered, {link.Corrupted} corrupted, {way.Waiting} still on their way";
    }

    private static void Write(Utf8JsonWriter writer, ImpairedWay way)
    {
        LinkCounts link = way.Link.ReadCounts();
        writer.WriteStartObject(way.Name);
        writer.WriteNumber("received", link.Received);
        writer.WriteNumber("forwarded", way.Forwarded);
        writer.WriteNumber("duplicated", link.Duplicated);
        writer.WriteNumber("reordered", link.Reordered);
        writer.WriteNumber("corrupted", link.Corrupted);
        writer.WriteNumber("waiting", way.Waiting);
        writer.WriteStartObject("dropped");
        foreach ((string name, long count) in Drops(way, link))
        {
            writer.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(name), count);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>All causes: the link's, then the proxy's own.</summary>
    private static IEnumerable<(string Name, long Count)> Drops(ImpairedWay way, LinkCounts link) => Enum.GetValues<LinkDrop>()
        .Where(static why => why != LinkDrop.None)
        .Select(why => (why.ToString(), link.DroppedBy(why)))
        .Concat([("NoRoom", way.NoRoom), ("NoClient", way.NoClient), ("SendFailed", way.SendFailed)]);
}
