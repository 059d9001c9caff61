using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Doorbell.Cli.Printing;

/// <summary>One JSON object on one line.</summary>
internal static class JsonLine
{
    /// <summary>Prints a line for people, or the same as JSON, and waits for no reader.</summary>
    public static void Print(bool json, string line, Action<Utf8JsonWriter> write) => LineWriter.Output.Post(json ? Of(write) : line);

    public static string Of(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
