using System.Buffers;
using System.Text.Json;
using Doorbell.Lab.Http;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>JSON as it comes and goes.</summary>
internal static class JsonText
{
    private static readonly JsonDocumentOptions _reading = new() { MaxDepth = 16 };

    /// <summary>Reads what a client has sent.</summary>
    /// <exception cref="HttpException">It is none, or of another kind.</exception>
    public static JsonElement Read(HttpRequest request, JsonValueKind kind)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(request.Body, _reading);
            return document.RootElement.ValueKind == kind
                ? document.RootElement.Clone()
                : throw new HttpException(400, $"bad request body: it is no JSON {(kind == JsonValueKind.Array ? "array" : "object")}");
        }
        catch (JsonException wrong)
        {
            throw new HttpException(400, $"bad request body: it is no JSON, or nested too deeply, at line {wrong.LineNumber + 1}");
        }
    }

    /// <summary>A member that is a text; null if it is not there.</summary>
    /// <exception cref="HttpException">It is something else.</exception>
    public static string? String(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        try
        {
            return value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : throw new HttpException(400, $"bad request body: {name} is a string");
        }
        catch (InvalidOperationException)
        {
            throw new HttpException(400, $"bad request body: {name} is no text of whole characters");
        }
    }

    /// <summary>A member that is true or false; null if it is not there.</summary>
    /// <exception cref="HttpException">It is something else.</exception>
    public static bool? Boolean(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new HttpException(400, $"bad request body: {name} is true or false");
    }

    public static HttpAnswer Answer(int status, Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            write(writer);
        }

        return new HttpAnswer(status, bytes.WrittenMemory);
    }

    public static HttpAnswer Refusal(HttpException refused) => Answer(refused.Status, writer =>
    {
        writer.WriteStartObject();
        WriteError(writer, refused);
        writer.WriteEndObject();
    });

    public static void WriteError(Utf8JsonWriter writer, HttpException refused)
    {
        writer.WriteString("error", refused.Message);
        writer.WriteNumber("status", refused.Status);
    }
}
