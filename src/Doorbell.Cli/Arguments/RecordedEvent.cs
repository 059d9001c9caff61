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
    private const int MaxLine = 1024 * 1024;

    /// <summary>Whether the way ends here.</summary>
    public bool IsEnd => Bytes.Length == 0;

    /// <summary>Reads a recording, one line after the other: it may have any length.</summary>
    /// <exception cref="ConfigurationException">It can't be read, or a line is none of a recording.</exception>
    public static IEnumerable<RecordedEvent> Read(string path)
    {
        string file = PrintableText.Escape(path);
        int number = 0;
        foreach (string line in Lines(path, file))
        {
            number++;
            if (number == 1)
            {
                RequireRecording(line, file);
            }
            else
            {
                yield return Parse(line, file, number);
            }
        }

        if (number == 0)
        {
            throw new ConfigurationException($"{file}: it is empty, and no recording");
        }
    }

    private static void RequireRecording(string line, string file)
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

    private static RecordedEvent Parse(string line, string file, int number)
    {
        using JsonDocument document = Document(line, file, number);
        JsonElement root = document.RootElement;
        double seconds = 0;
        if (!root.TryGetProperty("at", out JsonElement at) || at.ValueKind != JsonValueKind.Number
            || (seconds = at.GetDouble()) is not (>= 0 and < 1e9))
        {
            throw Wrong("\"at\" is missing, or no number of seconds");
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

    private static JsonDocument Document(string line, string file, int number)
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

    private static IEnumerable<string> Lines(string path, string file)
    {
        using StreamReader reader = Open(path, file);
        StringBuilder line = new();
        int number = 1;
        while (reader.Read() is >= 0 and int next)
        {
            if (next == '\n')
            {
                yield return line.ToString();
                line.Clear();
                number++;
            }
            else if (line.Length == MaxLine)
            {
                throw new ConfigurationException($"{file}:{number}: the line has more than {MaxLine} characters: no recording has that");
            }
            else
            {
                line.Append((char)next);
            }
        }

        if (line.Length > 0)
        {
            yield return line.ToString();
        }
    }

    private static StreamReader Open(string path, string file)
    {
        try
        {
            return new StreamReader(path, new UTF8Encoding(false));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string why = failure is FileNotFoundException or DirectoryNotFoundException ? "ENOENT (No such file or directory)"
                : PrintableText.Escape(failure.Message);
            throw new ConfigurationException($"read {file}: {why}; give the path of a recording of doorbell connect --record");
        }
    }
}
