using System.Globalization;
using System.Text;

namespace Doorbell.Syslog;

/// <summary>Writes messages.</summary>
public static class SyslogWriter
{
    /// <summary>
    /// Writes a message as its format has it, without framing. What a field can't hold is a question mark in it, and a field that is too
    /// long is cut (RFC 5424 section 6).
    /// </summary>
    /// <param name="message">The message.</param>
    public static byte[] Write(SyslogMessage message)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"<{message.Priority.Number}>");
        if (message.Format == SyslogFormat.Rfc5424)
        {
            const int MaxHost = 255;
            const int MaxApplication = 48;
            const int MaxProcess = 128;
            const int MaxOther = 32;
            text.Append("1 ").Append(Field(message.Timestamp, MaxOther)).Append(' ').Append(Field(message.Host, MaxHost))
                .Append(' ').Append(Field(message.Application, MaxApplication)).Append(' ').Append(Field(message.Process, MaxProcess))
                .Append(' ').Append(Field(message.MessageId, MaxOther)).Append(' ');
            AppendData(text, message.Data);
            text.Append(message.Text.Length > 0 ? " " : "");
        }
        else if (message.Format == SyslogFormat.Rfc3164)
        {
            text.Append(message.Timestamp).Append(' ').Append(message.Host is null ? "" : message.Host + " ")
                .Append(message.Application).Append(message.Process is null ? "" : $"[{message.Process}]").Append(": ");
        }

        return SystemText.ToBytes(text.Append(message.Text).ToString());
    }

    private static string Field(string? value, int most)
    {
        if (value is not { Length: > 0 })
        {
            return "-";
        }

        IEnumerable<char> letters = value.Take(most).Select(static letter => letter is > ' ' and < '\u007f' ? letter : '?');
        return string.Concat(letters);
    }

    private static void AppendData(StringBuilder text, IReadOnlyList<SyslogElement> data)
    {
        if (data.Count == 0)
        {
            text.Append('-');
        }

        foreach (SyslogElement element in data)
        {
            text.Append('[').Append(element.Id);
            foreach ((string name, string value) in element.Parameters)
            {
                string escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
                    .Replace("]", "\\]", StringComparison.Ordinal);
                text.Append(' ').Append(name).Append("=\"").Append(escaped).Append('"');
            }

            text.Append(']');
        }
    }
}
