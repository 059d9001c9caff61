using System.Text.Json;
using Doorbell.Cli.Arguments;
using Doorbell.Coap;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Printing;

/// <summary>What <c>serve</c> prints: a line a door, who can reach them, and a summary; for people, or as JSON.</summary>
/// <param name="served">What was asked for.</param>
/// <param name="configuration">The file that said so; null if the command line did.</param>
/// <param name="json">Whether programs read it.</param>
internal sealed class ServeReport(IReadOnlyList<Served> served, string? configuration, bool json)
{
    /// <summary>The TLS of the doors; null if none has it.</summary>
    public ServedTls? Tls { get; init; }

    /// <summary>What the kernel made of socket options, where that is not what was asked.</summary>
    public void Options(IReadOnlyList<SocketOptionOutcome> outcomes)
    {
        foreach (SocketOptionOutcome outcome in outcomes.Where(static outcome => outcome.Differs))
        {
            Print(
                $"{outcome.Target}: {outcome}",
                writer =>
                {
                    writer.WriteString("event", "option");
                    writer.WriteString("endpoint", outcome.Target);
                    writer.WriteString("name", outcome.Setting.Option.Name);
                    writer.WriteString("asked", outcome.Setting.Asked);
                    writer.WriteString("value", outcome.Actual);
                    writer.WriteString("why", outcome.ToString());
                });
        }
    }

    /// <param name="server">What is served.</param>
    /// <param name="options">What was asked for.</param>
    public void Listening(Server server, ServerOptions options)
    {
        IReadOnlyList<BacklogReading> backlogs = server.ReadBacklogs();
        if (server.TookOverFrom is { } old)
        {
            Print(
                $"took the listening sockets over from process {old}"
                    + Listed("in addition", server.TakeoverAdded) + Listed("nobody serves any more", server.TakeoverLeft),
                writer =>
                {
                    writer.WriteString("event", "took-over");
                    writer.WriteNumber("process", old);
                    WriteEndpoints(writer, "added", server.TakeoverAdded);
                    WriteEndpoints(writer, "left", server.TakeoverLeft);
                });
        }

        foreach (Door door in server.Doors)
        {
            Print(
                $"serving {Offered(door)} on {door.Endpoint}",
                writer =>
                {
                    writer.WriteString("event", "listening");
                    writer.WriteString("service", door.Service.Name);
                    writer.WriteString("endpoint", door.Endpoint.ToString());
                    if (IsCoap(door))
                    {
                        writer.WriteString("resources", Offered(door));
                    }

                    writer.WriteString("model", server.Model.Name);
                    writer.WriteString("engine", server.EngineName);
                    writer.WriteString("reach", JsonNamingPolicy.KebabCaseLower.ConvertName(door.Reach.ToString()));
                    writer.WriteNumber("maxBufferedBytes", options.MaxBufferedBytes);
                    if (backlogs.FirstOrDefault(backlog => backlog.Endpoint == door.Endpoint)?.Limit is { } most)
                    {
                        writer.WriteNumber("backlog", most);
                    }
                });
        }

        TlsReport.SelfSigned(Tls, (line, write) => JsonLine.Print(json, line, write));
        if (server.EngineRefused is { } why)
        {
            Print(
                $"io_uring refused: {why}; using {server.EngineName}",
                writer =>
                {
                    writer.WriteString("event", "engine-refused");
                    writer.WriteString("engine", "io_uring");
                    writer.WriteString("why", why);
                });
        }

        if (!json)
        {
            Explain(server, options, backlogs);
        }
    }

    /// <param name="process">Who has taken over; null if nobody has.</param>
    public void HandedOver(int? process)
    {
        if (process is { } successor)
        {
            Print(
                $"handed the listening sockets over to process {successor}",
                writer =>
                {
                    writer.WriteString("event", "handed-over");
                    writer.WriteNumber("process", successor);
                });
        }
    }

    /// <param name="server">What has been served.</param>
    public void Summary(Server server) =>
        Summary(server.Ledger.Read(), server.ReadBacklogs(), server.Doors.Any(IsCoap));

    private static long Overflowed(IReadOnlyList<BacklogReading> backlogs) => backlogs.Sum(static backlog => backlog.Overflowed ?? 0);

    private static string Losses(LedgerSnapshot counts, long backlogOverflows)
    {
        IEnumerable<string> connections = Enum.GetValues<CloseReason>()
            .Where(reason => reason is not (CloseReason.Completed or CloseReason.IdleTimeout or CloseReason.ProcessDied)
                && counts.Closed(reason) > 0)
            .Select(reason => $"{counts.Closed(reason)} {Words(reason.ToString())}");
        IEnumerable<string> datagrams = Enum.GetValues<DatagramDrop>()
            .Where(why => counts.Dropped(why) > 0)
            .Select(why => $"{counts.Dropped(why)} {Words(why.ToString())}");
        IEnumerable<string> others = new[]
        {
            (counts.ConnectionsRefused, $"{counts.ConnectionsRefused} refused"),
            (counts.ConnectionsDenied, $"{counts.ConnectionsDenied} denied"),
            (counts.AcceptErrors, Plural.Of(counts.AcceptErrors, "accept error")),
            (counts.ProcessesLost, $"{Plural.Of(counts.ProcessesLost, "process")} lost"),
        }.Where(static other => other.Item1 > 0).Select(static other => other.Item2);
        string[] packets = backlogOverflows > 0 ? [$"{Plural.Of(backlogOverflows, "packet")} dropped at a full backlog"] : [];
        string all = string.Join(", ", [.. connections, .. datagrams, .. others, .. packets]);
        return all.Length == 0 ? "" : $" ({all})";
    }

    private static string Listed(string what, IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count == 0 ? "" : $"; {what}: {string.Join(", ", endpoints)}";

    private static void WriteEndpoints(Utf8JsonWriter writer, string name, IReadOnlyList<Endpoint> endpoints)
    {
        if (endpoints.Count > 0)
        {
            writer.WriteStartArray(name);
            endpoints.ToList().ForEach(endpoint => writer.WriteStringValue(endpoint.ToString()));
            writer.WriteEndArray();
        }
    }

    private static string Words(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name).Replace('-', ' ');

    private static void WriteCounts<T>(Utf8JsonWriter writer, string name, IReadOnlyList<long> counts)
        where T : struct, Enum
    {
        writer.WriteStartObject(name);
        foreach ((T kind, long count) in Enum.GetValues<T>().Zip(counts))
        {
            writer.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(kind.ToString()), count);
        }

        writer.WriteEndObject();
    }

    private void Summary(LedgerSnapshot counts, IReadOnlyList<BacklogReading> backlogs, bool speaksCoap) => Print(
        $"served {Plural.Of(counts.ConnectionsOpened, "connection")}, {Plural.Of(counts.Requests, "request")}, "
            + $"{Plural.Of(counts.DatagramsReceived, "datagram")}, {Plural.Of(counts.BytesReceived, "byte")} in, "
            + $"{Plural.Of(counts.BytesSent, "byte")} out, {Plural.Of(counts.Errors, "error")}"
            + Losses(counts, Overflowed(backlogs))
            + (speaksCoap ? CoapSummary.Line(CoapServerCounts.From(counts)) : ""),
        writer =>
        {
            writer.WriteString("event", "summary");
            writer.WriteNumber("connections", counts.ConnectionsOpened);
            writer.WriteNumber("connectionsRefused", counts.ConnectionsRefused);
            writer.WriteNumber("connectionsDenied", counts.ConnectionsDenied);
            writer.WriteNumber("requests", counts.Requests);
            writer.WriteNumber("datagramsReceived", counts.DatagramsReceived);
            writer.WriteNumber("datagramsSent", counts.DatagramsSent);
            writer.WriteNumber("bytesReceived", counts.BytesReceived);
            writer.WriteNumber("bytesSent", counts.BytesSent);
            writer.WriteNumber("bytesDiscarded", counts.BytesDiscarded);
            writer.WriteNumber("bytesUnsent", counts.BytesUnsent);
            writer.WriteNumber("errors", counts.Errors);
            WriteCounts<CloseReason>(writer, "connectionsClosed", counts.ConnectionsClosed);
            WriteCounts<DatagramDrop>(writer, "datagramsDropped", counts.DatagramsDropped);
            writer.WriteNumber("datagramFaults", counts.DatagramFaults);
            writer.WriteNumber("acceptErrors", counts.AcceptErrors);
            writer.WriteNumber("processesLost", counts.ProcessesLost);
            if (Overflowed(backlogs) is > 0 and var overflowed)
            {
                writer.WriteNumber("backlogOverflows", overflowed);
            }

            if (speaksCoap)
            {
                CoapSummary.Write(writer, CoapServerCounts.From(counts));
            }
        });

    private void Explain(Server server, ServerOptions options, IReadOnlyList<BacklogReading> backlogs)
    {
        int? limit = backlogs.FirstOrDefault(static backlog => backlog.Limit is not null)?.Limit;
        if (options.ListenBacklog is { } asked && limit is { } made)
        {
            LineWriter.Output.Post(
                made == 0 ? "backlog: 0, which lets one connection wait"
                : asked == made ? $"backlog: {made}" : $"backlog: asked for {asked}, the kernel allows {made}: net.core.somaxconn");
        }

        if (server.Doors.Any(static door => NamedServices.IsProxy(door.Service.Name)))
        {
            LineWriter.Output.Post("--allow-target says where clients may connect to; without it, those on this machine may connect "
                + "everywhere, others nowhere");
        }

        if (server.Doors.Any(static door => door.Service.Program is not null))
        {
            LineWriter.Output.Post(
                $"at most {Plural.Of(options.MaxConnections, "process")} at once: --max-connections allows more or fewer");
        }

        if (server.Doors.Any(static door => door.Service.Program is null && door.Endpoint.IsStream))
        {
            LineWriter.Output.Post($"at most {SizeText.Of(options.MaxBufferedBytes)} of memory for what waits in connections: "
                + "--max-buffered allows more or less");
        }

        if (options.ReusePort)
        {
            LineWriter.Output.Post(Server.BacklogMoves
                ? "other servers may share the ports; what waits in the backlog moves to them when this one ends"
                : "other servers may share the ports; when this one ends the kernel resets what arrives in its backlog at that moment: "
                    + "sysctl -w net.ipv4.tcp_migrate_req=1 lets it move to them");
        }

        LineWriter.Output.Post(Reachable(server.Doors));
    }

    private string Reachable(IReadOnlyList<Door> doors)
    {
        if (doors.Any(static door => door.Reach == Reach.EveryInterface))
        {
            return "reachable from every network this machine is on; for this machine alone use localhost as the host";
        }

        if (doors.Any(static door => door.Reach == Reach.OneAddress))
        {
            return "reachable by whoever reaches the addresses above; for this machine alone use localhost as the host";
        }

        bool isProgram = served[0].Service.Program is not null;
        string[] open = [.. served.Select((of, index) => Open(of, doors.Where(door => Of(door) == index)))
            .Where(static how => how.Length > 0)];
        string how = (open, configuration, isProgram) switch
        {
            ([], _, _) => "",
            (_, { } file, _) => $"; to open it to others, give its endpoints the host * in {PrintableText.Escape(file)}",
            (_, _, true) => $"; to open it to others, serve it on {open[0]}",
            _ => $"; to open it to others: doorbell serve {string.Join(" + ", open)}",
        };
        return "reachable from this machine only" + how;
    }

    /// <summary>
    /// The service and its endpoints as the command line would have them for every interface; empty if there is none to open.
    /// </summary>
    private static string Open(Served of, IEnumerable<Door> doors)
    {
        string[] everywhere = [.. doors.Where(static door => !door.Endpoint.IsUnix)
            .Select(static door => $"{Scheme(door)}://*:{door.Endpoint.Port}").Distinct()];

        // A name would take the other resources away.
        bool isNamed = of.Service.Program is null && !(of.Resources.Count > 1 && doors.Any(IsCoap));
        return everywhere.Length == 0 ? "" : (isNamed ? $"{of.Service.Name} " : "") + string.Join(' ', everywhere);
    }

    /// <summary>Which of the services is served at a door.</summary>
    private int Of(Door door)
    {
        int index = 0;
        while (index < served.Count - 1 && !served[index].Endpoints.Any(endpoint => endpoint.Transport == door.Endpoint.Transport
            && served[index].Service.Name == door.Service.Name))
        {
            index++;
        }

        return index;
    }

    private static bool IsCoap(Door door) => CoapEndpoint.Is(door.Endpoint);

    /// <summary>At a coap endpoint the resources, as in <c>/capitalize /echo</c>.</summary>
    private string Offered(Door door) => IsCoap(door)
        ? string.Join(' ', served[Of(door)].Resources.Keys.Order(StringComparer.Ordinal).Select(static path => $"/{path}"))
        : door.Service.Name;

    private static string Scheme(Door door) => door.Endpoint.ToString().Split(':')[0];

    private void Print(string line, Action<Utf8JsonWriter> write) => JsonLine.Print(json, line, write);
}
