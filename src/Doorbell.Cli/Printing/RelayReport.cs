using System.Text.Json;
using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Printing;

/// <summary>What <c>relay</c> prints: a line a door and a summary; for people, or as JSON.</summary>
/// <param name="upstreams">Where it goes on to.</param>
/// <param name="json">Whether as JSON.</param>
/// <param name="toError">Whether standard output is an end of the relay: then standard error gets it.</param>
internal sealed class RelayReport(IReadOnlyList<string> upstreams, bool json, bool toError = false)
{
    /// <summary>The TLS of the door; null if it has none.</summary>
    public ServedTls? Tls { get; set; }

    /// <param name="server">The relay.</param>
    public void Listening(Server server)
    {
        foreach (Door door in server.Doors)
        {
            Listening(door.Endpoint.ToString(), writer =>
            {
                writer.WriteString("model", server.Model.Name);
                writer.WriteString("engine", server.EngineName);
            });
        }

        TlsReport.SelfSigned(Tls, Print);
    }

    /// <param name="from">Where who is relayed comes from.</param>
    public void Listening(string from) => Listening(from, static _ => { });

    /// <param name="path">The other side of a terminal that was made.</param>
    public void Terminal(string path) => Print(
        $"terminal {path}",
        writer =>
        {
            writer.WriteString("event", "terminal");
            writer.WriteString("path", path);
        });

    /// <param name="counts">What has been counted.</param>
    /// <param name="came">How many connections, or peers of datagrams, have come.</param>
    /// <param name="connected">How many upstreams were connected or opened.</param>
    /// <param name="failures">How many could not be.</param>
    /// <param name="lost">How many datagrams were lost here.</param>
    public void Summary(LedgerSnapshot counts, long came, long connected, long failures, long lost) => Print(
        $"relayed {Plural.Of(came, "connection")} over {connected} to upstreams, "
            + $"{failures} could not be connected, {Plural.Of(counts.BytesReceived, "byte")} in, "
            + $"{Plural.Of(counts.BytesSent, "byte")} out, {Plural.Of(counts.Errors, "error")}"
            + (lost > 0 ? $", {Plural.Of(lost, "datagram")} lost" : ""),
        writer =>
        {
            writer.WriteString("event", "summary");
            writer.WriteNumber("connections", came);
            writer.WriteNumber("connected", connected);
            writer.WriteNumber("connectFailures", failures);
            writer.WriteNumber("bytesReceived", counts.BytesReceived);
            writer.WriteNumber("bytesSent", counts.BytesSent);
            writer.WriteNumber("errors", counts.Errors);
            writer.WriteNumber("datagramsLost", lost);
            writer.WriteStartObject("connectionsClosed");
            foreach ((CloseReason reason, long count) in Enum.GetValues<CloseReason>().Zip(counts.ConnectionsClosed))
            {
                writer.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(reason.ToString()), count);
            }

            writer.WriteEndObject();
        });

    private void Listening(string from, Action<Utf8JsonWriter> how) => Print(
        $"relaying {from} to {string.Join(", or ", upstreams)}",
        writer =>
        {
            writer.WriteString("event", "listening");
            writer.WriteString("service", "relay");
            writer.WriteString("endpoint", from);
            how(writer);
            writer.WriteStartArray("upstreams");
            foreach (string upstream in upstreams)
            {
                writer.WriteStringValue(upstream);
            }

            writer.WriteEndArray();
        });

    private void Print(string line, Action<Utf8JsonWriter> write) =>
        (toError ? LineWriter.Error : LineWriter.Output).Post(json ? JsonLine.Of(write) : toError ? $"doorbell: {line}" : line);
}
