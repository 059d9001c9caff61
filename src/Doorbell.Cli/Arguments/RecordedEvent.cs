using System.Text;
using System.Text.Json;

namespace Doorbell.Cli.Arguments;

/// <summary>A line of a recording: bytes that went one way, or the end of that way.</summary>
/// <param name="Line">Its number in the file.</param>
/// <param name="At">Since the connection was made.</param>
/// <param name="IsSent">Whether it is the client's way.</param>
/// <param name="Bytes">What went; empty for the end.</param>
internal sealed record RecordedEvent(int Line, TimeSpan At, bool IsSent, byte[] Bytes)
{
    /// <summary>A recording's longest line has 64 KiB, each of which JSON may write in six characters.</summary>
    private const int MaxLineBytes = 1024 * 1024;

    private const string What = "a recording";

    private static readonly string[] _members = ["sent", "sentBase64", "received", "receivedBase64", "end"];

    /// <summary>Whether the way ends here.</summary>
    public bool IsEnd => Bytes.Length == 0;

    /// <summary>Reads a recording, one line after the other: it may have any length.</summary>
    /// <exception cref="ConfigurationException">It can't be read, or a line is none of a recording.</exception>
    public static IEnumerable<RecordedEvent> Read(string path)
    {
        string file = PrintableText.Escape(path);
        int number = 0;
        HashSet<bool> ended = [];
        foreach (byte[] line in Lines(path))
        {
            number++;
            BoundedFile.RequireUtf8(line, path, number);
            if (number == 1)
            {
                RequireRecording(line, file);
            }
            else
            {
                RecordedEvent next = Parse(line, file, number);
                if (ended.Contains(next.IsSent) || (next.IsEnd && !ended.Add(next.IsSent)))
                {
                    string way = next.IsSent ? "sent" : "received";
                    throw new ConfigurationException($"{file}:{number}: nothing is \"{way}\" behind the line where \"{way}\" ends");
                }

                yield return next;
            }
        }

        if (number == 0)
        {
            throw new ConfigurationException($"{file}: it is empty, and no recording");
        }
    }

    /// <summary>Where the recorded client was connected to.</summary>
    /// <exception cref="ConfigurationException">It can't be read, is no recording, or does not say.</exception>
    public static string EndpointOf(string path)
    {
        string file = PrintableText.Escape(path);
        byte[] first = Lines(path).FirstOrDefault() ?? throw new ConfigurationException($"{file}: it is empty, and no recording");
        RequireRecording(first, file);
        using JsonDocument document = Document(first, file, number: 1);
        return document.RootElement.TryGetProperty("endpoint", out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw new ConfigurationException($"{file}:1: \"endpoint\" is missing, so give an ENDPOINT on the command line");
    }

    private static void RequireRecording(byte[] line, string file)
    {
        const int Version = 1;
        using JsonDocument document = Document(line, file, number: 1);
        if (!document.RootElement.TryGetProperty("recording", out JsonElement version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int said))
        {
            throw new ConfigurationException($"{file}:1: it is no recording of doorbell connect --record: \"recording\" is missing");
        }

        if (said != Version)
        {
            throw new ConfigurationException($"{file}:1: it is a recording of version {said}, and {Version} is the only one known here");
        }
    }

    private static RecordedEvent Parse(byte[] line, string file, int number)
    {
        using JsonDocument document = Document(line, file, number);
        JsonElement root = document.RootElement;
        double seconds = 0;
        if (!root.TryGetProperty("at", out JsonElement at) || at.ValueKind != JsonValueKind.Number
            || (seconds = at.GetDouble()) is not (>= 0 and < 1e9))
        {
            throw Wrong("\"at\" is missing, or no number of seconds");
        }

        string[] told = [.. _members.Where(member => root.TryGetProperty(member, out _))];
        if (told.Length > 1)
        {
            throw Wrong($"it has both \"{told[0]}\" and \"{told[1]}\": give each a line of its own");
        }

        TimeSpan time = TimeSpan.FromSeconds(seconds);
        foreach (string way in (string[])["sent", "received"])
        {
            bool isSent = way == "sent";
            if (root.TryGetProperty(way, out JsonElement text) && text.ValueKind == JsonValueKind.String)
            {
                return new RecordedEvent(number, time, isSent, NotEmpty(Encoding.UTF8.GetBytes(Whole(text))));
            }

            if (root.TryGetProperty($"{way}Base64", out JsonElement base64) && base64.ValueKind == JsonValueKind.String)
            {
                return base64.TryGetBytesFromBase64(out byte[]? bytes)
                    ? new RecordedEvent(number, time, isSent, NotEmpty(bytes))
                    : throw Wrong($"\"{way}Base64\" is no base64");
            }

            if (root.TryGetProperty("end", out JsonElement end) && end.ValueKind == JsonValueKind.String && end.GetString() == way)
            {
                return new RecordedEvent(number, time, isSent, []);
            }
        }

        throw Wrong("it has none of \"sent\", \"sentBase64\", \"received\", \"receivedBase64\" and \"end\"");

        string Whole(JsonElement text)
        {
            try
            {
                return text.GetString()!;
            }
            catch (InvalidOperationException)
            {
                throw Wrong("its text has half of a character");
            }
        }

        byte[] NotEmpty(byte[] bytes) => bytes.Length > 0 ? bytes : throw Wrong("its text is empty");
        ConfigurationException Wrong(string what) => new($"{file}:{number}: {what}");
    }

    private static JsonDocument Document(byte[] line, string file, int number)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw new ConfigurationException($"{file}:{number}: a line of a recording is a JSON object");
        }
        catch (JsonException)
        {
            throw new ConfigurationException($"{file}:{number}: a line of a recording is a JSON object");
        }
    }

    private static IEnumerable<byte[]> Lines(string path)
    {
        using FileStream file = BoundedFile.Open(path, What);
        using MemoryStream line = new();
        byte[] buffer = new byte[64 * 1024];
        int number = 1;
        for (int count; (count = BoundedFile.Read(file, buffer, path, What)) > 0;)
        {
            for (int start = 0; start < count;)
            {
                int length = buffer.AsSpan(start, count - start).IndexOf((byte)'\n');
                bool isWhole = length >= 0;
                line.Write(buffer, start, isWhole ? length : count - start);
                start = isWhole ? start + length + 1 : count;
                if (line.Length > MaxLineBytes)
                {
                    throw new ConfigurationException(
                        $"{PrintableText.Escape(path)}:{number}: the line has more than {MaxLineBytes} bytes, and {What} has none such");
                }

                if (isWhole)
                {
                    yield return line.ToArray();
                    line.SetLength(0);
                    number++;
                }
            }
        }

        if (line.Length > 0)
        {
            yield return line.ToArray();
        }
    }
}
