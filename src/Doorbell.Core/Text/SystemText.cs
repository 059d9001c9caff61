using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Doorbell;

/// <summary>
/// Arguments, environment variables and file names, which to Linux are bytes and to .NET are text. A byte that isn't UTF-8 becomes a
/// character of its own, from U+DC80 for the byte 80 to U+DCFF for ff, which no other text holds; so nothing is lost on the way to a
/// string and back. Python's "surrogateescape" does the same (PEP 383).
/// </summary>
public static class SystemText
{
    private const char FirstEscape = '\udc80';
    private const char LastEscape = '\udcff';
    private const char EscapeOfZero = '\udc00';

    /// <summary>The bytes as text; <see cref="ToBytes(string)"/> answers the same bytes again.</summary>
    /// <param name="bytes">Of any kind.</param>
    public static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        StringBuilder text = new();
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == OperationStatus.Done)
            {
                text.Append(rune);
            }
            else
            {
                text.Append((char)(EscapeOfZero + bytes[0]));
                length = 1;
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>The text as UTF-8, and each character from U+DC80 to U+DCFF as the byte that it stands for.</summary>
    /// <param name="text">Of any length; another lone surrogate becomes U+FFFD.</param>
    public static byte[] ToBytes(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.AsSpan().ContainsAnyInRange(FirstEscape, LastEscape))
        {
            return Encoding.UTF8.GetBytes(text);
        }

        List<byte> bytes = [];
        Span<byte> one = stackalloc byte[4];
        for (int i = 0; i < text.Length;)
        {
            // What is no character decodes as U+FFFD.
            bool isText = Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int length) == OperationStatus.Done;
            if (!isText && text[i] is >= FirstEscape and <= LastEscape)
            {
                bytes.Add((byte)(text[i] - EscapeOfZero));
            }
            else
            {
                bytes.AddRange(one[..rune.EncodeToUtf8(one)]);
            }

            i += length;
        }

        return [.. bytes];
    }
}
