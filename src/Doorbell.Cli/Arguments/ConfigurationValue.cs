using System.Globalization;
using System.Text;
using System.Text.Json;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Arguments;

/// <summary>
/// A value of a configuration file. It knows its key and its line, so that an error can name both: <c>serve.json:3: Doors[0].Endpoint</c>.
/// </summary>
internal sealed class ConfigurationValue
{
    private const int MaxBytes = 1024 * 1024;

    private readonly string _file;
    private readonly int _line;
    private readonly List<ConfigurationValue> _parts = [];
    private JsonTokenType _kind;
    private string _text = "";

    private ConfigurationValue(string file, string key, string name, int line)
    {
        _file = file;
        Key = key;
        Name = name;
        _line = line;
    }

    /// <summary>From the file's root on, as in <c>Doors[0].Endpoint</c>; empty for the root itself.</summary>
    public string Key { get; }

    /// <summary>The key's last part; empty for the root and for what stands in an array.</summary>
    public string Name { get; }

    /// <summary>Whether it is a JSON object.</summary>
    public bool IsObject => _kind == JsonTokenType.StartObject;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It can't be read, or is no JSON; the message is one line.</exception>
    public static ConfigurationValue Read(string path)
    {
        string file = PrintableText.Escape(path);
        byte[] bytes = BoundedFile.ReadUtf8(path, MaxBytes, "a configuration");
        try
        {
            Utf8JsonReader reader = new(bytes);
            reader.Read();
            ConfigurationValue root = new(file, "", "", LineAt(bytes, reader.TokenStartIndex));
            root.ReadFrom(ref reader, bytes);
            reader.Read();
            return root;
        }
        catch (JsonException wrong)
        {
            throw new FormatException($"{file}:{wrong.LineNumber + 1}: {NoJson(bytes, wrong)}");
        }
        catch (InvalidOperationException)
        {
            // The reader finds it when the text is asked for: a lone surrogate.
            throw new FormatException($"{file}: this is no JSON: a text in it is no valid Unicode");
        }
    }

    /// <summary>The error that this value is wrong.</summary>
    /// <param name="why">What is wrong, and what would be right.</param>
    public ConfigurationException Wrong(string why) => new($"{_file}:{_line}: {(Key.Length == 0 ? "the file" : Key)}: {why}");

    /// <summary>The values of an object, in their order.</summary>
    public IReadOnlyList<ConfigurationValue> Members() =>
        IsObject ? _parts : throw Wrong($"it takes an object, as in {{ }}, not {Shown()}");

    /// <summary>The values of an array.</summary>
    public IReadOnlyList<ConfigurationValue> Items() =>
        _kind == JsonTokenType.StartArray ? _parts : throw Wrong($"it takes a list, as in [ ], not {Shown()}");

    /// <summary>A string.</summary>
    public string Text() => _kind == JsonTokenType.String ? _text : throw Wrong($"it takes a string, not {Shown()}");

    /// <summary>True or false.</summary>
    public bool Flag() => _kind switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw Wrong($"it takes true or false, not {Shown()}"),
    };

    /// <summary>A whole number.</summary>
    /// <param name="min">The least it may be.</param>
    public int Count(int min) => _kind == JsonTokenType.Number
        && int.TryParse(_text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= min
        ? number
        : throw Wrong($"it takes a whole number from {min} on, not {Shown()}");

    /// <summary>A number of bytes: a whole number, or a text with a unit, as in <c>"64k"</c>.</summary>
    /// <param name="min">The least it may be.</param>
    public int Bytes(int min) => _kind is JsonTokenType.Number or JsonTokenType.String
        && SizeText.TryParse(_text, out int bytes) && bytes >= min
        ? bytes
        : throw Wrong($"it takes a number of bytes from {min} on, as in 500, \"64k\" or \"16m\", not {Shown()}");

    /// <summary>A number of bytes, at least 1, and as much as a machine has memory.</summary>
    public long Memory() => _kind is JsonTokenType.Number or JsonTokenType.String
        && SizeText.TryParse(_text, long.MaxValue, out long bytes) && bytes > 0
        ? bytes
        : throw Wrong($"it takes a number of bytes from 1 on, as in \"512m\" or \"2g\", not {Shown()}");

    /// <summary>A length of time.</summary>
    /// <param name="mayBeInfinite">Whether <c>"infinite"</c> is one.</param>
    public TimeSpan Time(bool mayBeInfinite) => _kind == JsonTokenType.String && Durations.TryParse(_text, out TimeSpan time)
        && (mayBeInfinite || time != Timeout.InfiniteTimeSpan)
        ? time
        : throw Wrong(
            $"it takes a time with its unit, as in \"30s\" or \"200ms\"{(mayBeInfinite ? ", or \"infinite\"" : "")}, not {Shown()}");

    /// <summary>A value's name, in whatever case.</summary>
    public T Choice<T>()
        where T : struct, Enum =>
        Enum.GetNames<T>().Contains(Text(), StringComparer.OrdinalIgnoreCase)
            ? Enum.Parse<T>(Text(), ignoreCase: true)
            : throw Wrong($"it takes one of {string.Join(", ", Enum.GetNames<T>())}, not {Shown()}");

    /// <summary>What a text is parsed to, by a parser whose errors are one line.</summary>
    public T Parsed<T>(Func<string, T> parse)
    {
        try
        {
            return parse(Text());
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException && wrong is not ArgumentOutOfRangeException)
        {
            throw Wrong(wrong.Message);
        }
    }

    /// <summary>Socket options, as in <c>["TCP_NODELAY=1"]</c>.</summary>
    public IReadOnlyList<SocketOptionSetting> SocketOptions() => [.. Items().Select(static item => item.Parsed(SocketOptionSetting.Parse))];

    /// <summary>Shows from where on a text is no JSON any more.</summary>
    private static string NoJson(byte[] bytes, JsonException wrong)
    {
        const int MaxShownBytes = 20;
        int start = 0;
        for (long line = wrong.LineNumber ?? 0; line > 0; line--)
        {
            start += bytes.AsSpan(start).IndexOf((byte)'\n') + 1;
        }

        ReadOnlySpan<byte> rest = bytes.AsSpan((int)Math.Min(bytes.Length, start + (wrong.BytePositionInLine ?? 0)));
        int end = rest.IndexOfAny((byte)'\r', (byte)'\n');
        ReadOnlySpan<byte> shown = end < 0 ? rest : rest[..end];
        return rest.IsEmpty
            ? "this is no JSON: it ends too early, perhaps without a closing } or ]"
            : $"this is no JSON from \"{PrintableText.Escape(shown, MaxShownBytes)}\" on";
    }

    private static int LineAt(ReadOnlySpan<byte> bytes, long index) => 1 + bytes[..(int)index].Count((byte)'\n');

    private string Shown() => _kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => $"\"{PrintableText.Escape(_text)}\"",
        _ => _text,
    };

    private void ReadFrom(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes)
    {
        _kind = reader.TokenType;
        if (_kind is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            _text = _kind == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan);
            return;
        }

        while (reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
        {
            int line = LineAt(bytes, reader.TokenStartIndex);
            string name = "";
            if (IsObject)
            {
                name = PrintableText.Escape(reader.GetString()!);
                reader.Read();
            }

            string key = !IsObject ? $"{Key}[{_parts.Count}]" : Key.Length == 0 ? name : $"{Key}.{name}";
            ConfigurationValue part = new(_file, key, name, line);
            part.ReadFrom(ref reader, bytes);
            if (IsObject && _parts.Exists(other => other.Name == name))
            {
                throw part.Wrong("it stands there twice: leave out one of them");
            }

            _parts.Add(part);
        }
    }
}
