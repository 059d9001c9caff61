using System.Text.Json;
using System.Text.Json.Serialization;

namespace Doorbell;

/// <summary>Reads lengths of time from JSON as <see cref="Durations"/> has them, and writes them in .NET's form.</summary>
public sealed class DurationJsonConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return Durations.Parse(reader.GetString() ?? "");
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException)
        {
            throw new JsonException(wrong.Message, wrong);
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(
        value == Timeout.InfiniteTimeSpan ? "infinite" : value.ToString("c", System.Globalization.CultureInfo.InvariantCulture));
}
