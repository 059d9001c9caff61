using System.Text;
using Doorbell.Syslog;

namespace Doorbell.Cli.Printing;

/// <summary>Prints the messages that <c>serve syslog</c> receives, one a line, escaped, or as JSON.</summary>
internal sealed class SyslogPrinter(bool json)
{
    public void Print(SyslogMessage message, PeerAddress from) => JsonLine.Print(json, Line(message, from), writer =>
    {
        writer.WriteString("event", "message");
        writer.WriteString("from", from.ToString());
        writer.WriteString("format", message.Format.ToString().ToLowerInvariant());
        writer.WriteString("facility", message.Priority.FacilityName);
        writer.WriteString("severity", message.Priority.SeverityName);
        foreach ((string name, string? value) in Fields(message).Where(static field => field.Value is not null))
        {
            JsonLine.WriteText(writer, name, value!);
        }

        if (message.Data.Count > 0)
        {
            writer.WriteStartArray("data");
            foreach (SyslogElement element in message.Data)
            {
                writer.WriteStartObject();
                writer.WriteString("id", element.Id);
                writer.WriteStartArray("parameters");
                foreach ((string name, string value) in element.Parameters)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", name);
                    JsonLine.WriteText(writer, "value", value);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        JsonLine.WriteText(writer, "text", message.Text);
        if (message.IsCut)
        {
            writer.WriteBoolean("cut", true);
        }
    });

    private static IEnumerable<(string Name, string? Value)> Fields(SyslogMessage message) =>
    [
        ("timestamp", message.Timestamp), ("host", message.Host), ("application", message.Application), ("process", message.Process),
        ("messageId", message.MessageId),
    ];

    /// <summary>Escaped as in the message too (RFC 5424 section 6.3.3), so that no value looks like another element.</summary>
    private static string Value(string value) => PrintableText.Escape(value)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("]", "\\]", StringComparison.Ordinal);

    private static string Line(SyslogMessage message, PeerAddress from)
    {
        StringBuilder line = new();
        line.Append(from).Append(' ').Append(message.Priority);
        Append(message.Timestamp);
        Append(message.Host);
        Append(message.Application is null ? null : message.Application + (message.Process is null ? "" : $"[{message.Process}]"));
        Append(message.MessageId);
        foreach (SyslogElement element in message.Data)
        {
            line.Append(" [").Append(PrintableText.Escape(element.Id));
            foreach ((string name, string value) in element.Parameters)
            {
                line.Append(' ').Append(PrintableText.Escape(name)).Append("=\"").Append(Value(value)).Append('"');
            }

            line.Append(']');
        }

        return line.Append(": ").Append(PrintableText.Escape(message.Text)).Append(message.IsCut ? " (cut off)" : "").ToString();

        void Append(string? field)
        {
            if (field is not null)
            {
                line.Append(' ').Append(PrintableText.Escape(field));
            }
        }
    }
}
