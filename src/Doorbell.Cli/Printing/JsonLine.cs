using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Doorbell.Cli.Printing;

/// <summary>One JSON object on one line.</summary>
internal static class JsonLine
{
    /// <summary>Prints a line for people, or the same as JSON, and waits for no reader.</summary>
    public static void Print(bool json, string line, Action<Utf8JsonWriter> write) => LineWriter.Output.Post(json ? Of(write) : line);

    /// <summary>A text, or its bytes as <c>nameBase64</c> if they are no UTF-8: JSON has no other place for them.</summary>
    /// <param name="writer">Writes the object.</param>
    /// <param name="name">The member's.</param>
    /// <param name="text">As <see cref="SystemText"/> has it.</param>
    public static void WriteText(Utf8JsonWriter writer, string name, string text)
    {
        byte[] bytes = SystemText.ToBytes(text);
        if (Utf8.IsValid(bytes))
        {
            writer.WriteString(name, bytes);
        }
        else
        {
            writer.WriteBase64String($"{name}Base64", bytes);
        }
    }

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
