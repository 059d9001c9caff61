using System.Text.Json;
using System.Text.Json.Serialization;

namespace Doorbell;

/// <summary>
/// Reads and writes a value that has a text of its own as a JSON string: <see cref="Endpoint"/>, for one. For the converters of a
/// JsonSerializerOptions, or of a source-generated context; it uses no reflection.
/// </summary>
/// <typeparam name="T">Its ToString gives what its Parse reads.</typeparam>
public sealed class ParsableJsonConverter<T> : JsonConverter<T>
    where T : class, IParsable<T>
{
    /// <inheritdoc/>
    public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return reader.GetString() is { } text ? T.Parse(text, null) : null;
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException)
        {
            throw new JsonException(wrong.Message, wrong);
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
