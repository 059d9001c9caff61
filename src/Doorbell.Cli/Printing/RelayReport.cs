using System.Text.Json;
using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Printing;

/// <summary>What <c>relay</c> prints: a line a door and a summary; for people, or as JSON.</summary>
internal sealed class RelayReport(IReadOnlyList<Endpoint> upstreams, bool json)
{
    /// <summary>The TLS of the door; null if it has none.</summary>
    public ServedTls? Tls { get; init; }

    /// <param name="server">The relay.</param>
    public void Listening(Server server)
    {
        foreach (Door door in server.Doors)
        {
            JsonLine.Print(
                json,
                $"relaying {door.Endpoint} to {string.Join(", or ", upstreams)}",
                writer =>
                {
                    writer.WriteString("event", "listening");
                    writer.WriteString("service", "relay");
                    writer.WriteString("endpoint", door.Endpoint.ToString());
                    writer.WriteString("model", server.Model.Name);
                    writer.WriteString("engine", server.EngineName);
                    writer.WriteStartArray("upstreams");
                    foreach (Endpoint upstream in upstreams)
                    {
                        writer.WriteStringValue(upstream.ToString());
                    }

                    writer.WriteEndArray();
                });
        }

        TlsReport.SelfSigned(Tls, json);
    }

    /// <param name="counts">What has been counted.</param>
    public void Summary(LedgerSnapshot counts) => JsonLine.Print(
        json,
        $"relayed {Plural.Of(counts.ConnectionsOpened, "connection")} over {counts.ConnectionsConnected} to upstreams, "
            + $"{counts.ConnectFailures} could not be connected, {Plural.Of(counts.BytesReceived, "byte")} in, "
            + $"{Plural.Of(counts.BytesSent, "byte")} out, {Plural.Of(counts.Errors, "error")}",
        writer =>
        {
            writer.WriteString("event", "summary");
            writer.WriteNumber("connections", counts.ConnectionsOpened);
            writer.WriteNumber("connected", counts.ConnectionsConnected);
            writer.WriteNumber("connectFailures", counts.ConnectFailures);
            writer.WriteNumber("bytesReceived", counts.BytesReceived);
            writer.WriteNumber("bytesSent", counts.BytesSent);
            writer.WriteNumber("errors", counts.Errors);
            writer.WriteStartObject("connectionsClosed");
            foreach ((CloseReason reason, long count) in Enum.GetValues<CloseReason>().Zip(counts.ConnectionsClosed))
            {
                writer.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(reason.ToString()), count);
            }

            writer.WriteEndObject();
        });
}
