using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Doorbell;

/// <summary>
/// A unix socket's path as an endpoint's text has it: as it is, but for <c>\xff</c>, which is the byte 0xff. So every address that a socket
/// can have (unix(7)) can be written, printed, and read back.
/// </summary>
internal static class EndpointPath
{
    private const int EscapeLength = 4;

    /// <summary>
    /// Fit to print: an escape for each byte of what can't be shown, and for a backslash that would begin an escape. An abstract name has
    /// an @ in the place of its NUL, and a path that begins with @ an escape for that.
    /// </summary>
    public static string Shown(string path) => path switch
    {
        ['\0', _, ..] when !path.AsSpan(1).Contains('\0') => "@" + ShownBytes(path[1..]),
        ['@', ..] => "\\x40" + ShownBytes(path[1..]),
        _ => ShownBytes(path),
    };

    private static string ShownBytes(string path)
    {
        if (PrintableText.IsPrintable(path) && !HasEscape(path))
        {
            return path;
        }

        StringBuilder text = new();
        ReadOnlySpan<byte> rest = SystemText.ToBytes(path);
        while (!rest.IsEmpty)
        {
            bool isRune = Rune.DecodeFromUtf8(rest, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (isRune && PrintableText.IsPrintable(rune) && !IsEscape(rest))
            {
                text.Append(rune);
            }
            else
            {
                length = isRune ? length : 1;
                foreach (byte value in rest[..length])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
                }
            }

            rest = rest[length..];
        }

        return text.ToString();
    }

    /// <summary>Reads what <see cref="Shown"/> writes. False if it has a character that can't be shown and is not escaped.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out string? path)
    {
        byte[] bytes = SystemText.ToBytes(text);
        byte[] read = new byte[bytes.Length];
        int count = 0;
        ReadOnlySpan<byte> rest = bytes;
        path = null;
        while (!rest.IsEmpty)
        {
            int length = 1;
            if (IsEscape(rest))
            {
                length = EscapeLength;
                read[count++] = byte.Parse(rest[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            }
            else
            {
                bool isRune = Rune.DecodeFromUtf8(rest, out Rune rune, out int runeLength) == System.Buffers.OperationStatus.Done;
                if (isRune && !PrintableText.IsPrintable(rune))
                {
                    return false;
                }

                length = isRune ? runeLength : 1;
                rest[..length].CopyTo(read.AsSpan(count));
                count += length;
            }

            rest = rest[length..];
        }

        path = SystemText.FromBytes(read.AsSpan(0, count));
        return true;
    }

    private static bool HasEscape(string path)
    {
        for (int at = path.IndexOf('\\', StringComparison.Ordinal); at >= 0; at = path.IndexOf('\\', at + 1))
        {
            if (path.Length - at >= EscapeLength && path[at + 1] == 'x' && char.IsAsciiHexDigit(path[at + 2])
                && char.IsAsciiHexDigit(path[at + 3]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsEscape(ReadOnlySpan<byte> bytes) => bytes.Length >= EscapeLength && bytes.StartsWith("\\x"u8)
        && char.IsAsciiHexDigit((char)bytes[2]) && char.IsAsciiHexDigit((char)bytes[3]);
}
