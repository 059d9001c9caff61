using System.Globalization;
using System.Text;

namespace Doorbell.Syslog;

/// <summary>Reads messages. Whatever comes is one: what can't be understood is its text.</summary>
public static class SyslogReader
{
    private static readonly string[] _months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// <summary>Reads a message without its framing.</summary>
    /// <param name="bytes">Any. One LF or NUL at the end does not belong to it.</param>
    public static SyslogMessage Read(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && bytes[^1] is (byte)'\n' or 0)
        {
            bytes = bytes[..^1];
        }

        string text = SystemText.FromBytes(bytes);
        (SyslogPriority? priority, string rest) = ReadPriority(text);
        if (priority is null)
        {
            return new SyslogMessage { Text = text };
        }

        SyslogMessage message = Read5424(rest) ?? Read3164(rest) ?? new SyslogMessage { Text = rest };
        return message with { Priority = priority.Value };
    }

    /// <summary>As in <c>&lt;13&gt;</c>.</summary>
    private static (SyslogPriority? Priority, string Left) ReadPriority(string text)
    {
        int end = text.IndexOf('>', StringComparison.Ordinal);
        bool isNumber = end is >= 2 and <= 4 && text[0] == '<' && text[1..end].All(char.IsAsciiDigit) && (text[1] != '0' || end == 2);
        return isNumber && SyslogPriority.Of(int.Parse(text[1..end], CultureInfo.InvariantCulture)) is { } priority
            ? (priority, text[(end + 1)..])
            : (null, text);
    }

    /// <summary>Null if it has not that form.</summary>
    private static SyslogMessage? Read5424(string text)
    {
        const string Version = "1 ";
        const int HeaderFields = 5;
        if (!text.StartsWith(Version, StringComparison.Ordinal))
        {
            return null;
        }

        string[] fields = text[Version.Length..].Split(' ', HeaderFields + 1);
        if (fields.Length <= HeaderFields || fields[..HeaderFields].Any(static field => field.Length == 0 || !field.All(IsPrintableAscii)))
        {
            return null;
        }

        string rest = fields[HeaderFields];
        if (ReadData(rest, out List<SyslogElement> data) is not { } end || (end < rest.Length && rest[end] != ' '))
        {
            return null;
        }

        const char ByteOrderMark = '\ufeff';
        string said = end < rest.Length ? rest[(end + 1)..] : "";
        return new SyslogMessage
        {
            Format = SyslogFormat.Rfc5424,
            Timestamp = Value(fields[0]),
            Host = Value(fields[1]),
            Application = Value(fields[2]),
            Process = Value(fields[3]),
            MessageId = Value(fields[4]),
            Data = data,
            Text = said is [ByteOrderMark, ..] ? said[1..] : said,
        };

        static string? Value(string field) => field == "-" ? null : field;
    }

    private static bool IsPrintableAscii(char letter) => letter is > ' ' and < '\u007f';

    /// <summary>Reads structured data.</summary>
    /// <returns>Where it ends; null if it is none.</returns>
    private static int? ReadData(string text, out List<SyslogElement> data)
    {
        data = [];
        if (text is ['-', ..])
        {
            return 1;
        }

        int at = 0;
        while (at < text.Length && text[at] == '[')
        {
            at++;
            string id = ReadName(text, ref at);
            List<(string Name, string Value)> parameters = [];
            while (at < text.Length && text[at] == ' ')
            {
                at++;
                string name = ReadName(text, ref at);
                if (name.Length == 0 || ReadValue(text, ref at) is not { } value)
                {
                    return null;
                }

                parameters.Add((name, value));
            }

            if (id.Length == 0 || at >= text.Length || text[at] != ']')
            {
                return null;
            }

            at++;
            data.Add(new SyslogElement(id, parameters));
        }

        return at > 0 ? at : null;
    }

    private static string ReadName(string text, ref int at)
    {
        int begin = at;
        while (at < text.Length && IsPrintableAscii(text[at]) && text[at] is not ('=' or ']' or '"'))
        {
            at++;
        }

        return text[begin..at];
    }

    /// <summary>As in <c>="value"</c>, where a quotation mark, a backslash and a closing bracket stand behind a backslash.</summary>
    private static string? ReadValue(string text, ref int at)
    {
        if (!text.AsSpan(at).StartsWith("=\"", StringComparison.Ordinal))
        {
            return null;
        }

        StringBuilder value = new();
        for (at += 2; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                return value.ToString();
            }

            if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '"' or '\\' or ']')
            {
                at++;
            }

            value.Append(text[at]);
        }

        return null;
    }

    /// <summary>
    /// A time, mostly a host, and a tag. A program that writes to its own machine's socket leaves the host out (syslog(3)): then a tag,
    /// which ends in a colon or has brackets, follows the time at once.
    /// </summary>
    private static SyslogMessage? Read3164(string text)
    {
        const int TimeLength = 15;
        if (text.Length <= TimeLength || text[TimeLength] != ' ' || !IsTime(text[..TimeLength]))
        {
            return null;
        }

        string rest = text[(TimeLength + 1)..];
        string? host = null;
        if (ReadTag(rest) is not { } tag)
        {
            int space = rest.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0)
            {
                return null;
            }

            (host, rest) = (rest[..space], rest[(space + 1)..]);
            tag = ReadTag(rest) ?? (null, null, 0);
        }

        return new SyslogMessage
        {
            Format = SyslogFormat.Rfc3164,
            Timestamp = text[..TimeLength],
            Host = host,
            Application = tag.Name,
            Process = tag.Process,
            Text = rest[tag.End..],
        };
    }

    /// <summary>As in <c>Nov  9 12:00:00</c>.</summary>
    private static bool IsTime(string text) => _months.Contains(text[..3]) && text[3] == ' '
        && text[4] is ' ' or (>= '0' and <= '3') && char.IsAsciiDigit(text[5]) && text[6] == ' '
        && text[9] == ':' && text[12] == ':'
        && (text[7..9] + text[10..12] + text[13..15]).All(char.IsAsciiDigit);

    /// <summary>As in <c>su:</c> or <c>cron[12]:</c>, with the space behind it.</summary>
    private static (string? Name, string? Process, int End)? ReadTag(string text)
    {
        const int MaxName = 48;
        int end = text.AsSpan().IndexOfAny(" :[");
        if (end is <= 0 or > MaxName || text[end] == ' ')
        {
            return null;
        }

        string name = text[..end];
        string? process = null;
        if (text[end] == '[')
        {
            int close = text.IndexOf(']', end);
            if (close < 0)
            {
                return null;
            }

            process = text[(end + 1)..close];
            end = close + 1;
        }

        end += end < text.Length && text[end] == ':' ? 1 : 0;
        end += end < text.Length && text[end] == ' ' ? 1 : 0;
        return (name, process, end);
    }
}
