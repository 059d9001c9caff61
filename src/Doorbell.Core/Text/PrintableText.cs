using System.Buffers;
using System.Globalization;
using System.Text;

namespace Doorbell;

/// <summary>
/// Makes what peers send fit to print: nothing they send may move the cursor, recolour, reorder or forge a line of a terminal or
/// a log. The answer can't be mistaken for other bytes: a backslash is doubled.
/// </summary>
public static class PrintableText
{
    /// <summary>Bytes shown by default before the rest is only counted.</summary>
    public const int DefaultMaxBytes = 200;

    /// <summary>ASCII that is shown as it is: all that has a shape, and the space, but the backslash.</summary>
    private static readonly SearchValues<byte> _plain = SearchValues.Create(
        " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>
    /// Printable text as it is; a control character as <c>\n</c>, <c>\r</c>, <c>\t</c>, <c>\0</c> or <c>\x1b</c>; an invisible or
    /// reordering character as <c>\u{202e}</c>; a byte that isn't UTF-8 as <c>\xff</c>.
    /// </summary>
    /// <param name="bytes">What the peer sent.</param>
    /// <param name="maxBytes">With more bytes than this the rest is cut and counted.</param>
    public static string Escape(ReadOnlySpan<byte> bytes, int maxBytes = DefaultMaxBytes)
    {
        StringBuilder text = new();
        int shown = 0;
        while (shown < bytes.Length && shown < maxBytes)
        {
            shown += AppendPlain(text, bytes[shown..Math.Min(bytes.Length, maxBytes)]);
            if (shown < bytes.Length && shown < maxBytes)
            {
                shown += AppendNext(text, bytes[shown..], keepLayout: false);
            }
        }

        if (shown < bytes.Length)
        {
            text.Append(CultureInfo.InvariantCulture, $"… ({bytes.Length} bytes)");
        }

        return text.ToString();
    }

    /// <summary>
    /// The same for a whole conversation shown at a terminal: ends of line (LF, CRLF) and tabs keep their effect, and a backslash
    /// stays as it is.
    /// </summary>
    /// <param name="bytes">What the peer sent, cut between characters.</param>
    public static string EscapeKeepingLines(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        int shown = 0;
        while (shown < bytes.Length)
        {
            shown += AppendNext(text, bytes[shown..], keepLayout: true);
        }

        return text.ToString();
    }

    /// <summary>The same for a string: a name, a path, a message.</summary>
    /// <param name="text">
    /// Of any length. A character that stands for a byte (<see cref="SystemText"/>) is shown as that byte, another lone
    /// surrogate as U+FFFD.
    /// </param>
    public static string Escape(string text) => Escape(SystemText.ToBytes(text), int.MaxValue);

    /// <summary>
    /// Whether a string can be printed as it is: no character in it is one that <see cref="Escape(string)"/> would name, a
    /// backslash apart, and no surrogate is alone.
    /// </summary>
    /// <param name="text">Of any length.</param>
    public static bool IsPrintable(string text)
    {
        for (int i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int length) != OperationStatus.Done
                || !IsPrintable(rune))
            {
                return false;
            }

            i += length;
        }

        return true;
    }

    /// <summary>Appends what stands at the front and needs no escape, in one go; answers how many bytes that took.</summary>
    private static int AppendPlain(StringBuilder text, ReadOnlySpan<byte> bytes)
    {
        int first = bytes.IndexOfAnyExcept(_plain);
        int length = first < 0 ? bytes.Length : first;
        text.Append(Encoding.ASCII.GetString(bytes[..length]));
        return length;
    }

    /// <summary>Appends the first character, or the first byte of what is none; answers how many bytes that took.</summary>
    private static int AppendNext(StringBuilder text, ReadOnlySpan<byte> bytes, bool keepLayout)
    {
        if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) != OperationStatus.Done)
        {
            text.Append(CultureInfo.InvariantCulture, $"\\x{bytes[0]:x2}");
            return 1;
        }

        bool lineEnd = rune.Value == '\n' || bytes.StartsWith("\r\n"u8);
        if (keepLayout && (lineEnd || rune.Value is '\t' or '\\'))
        {
            text.Append(rune);
        }
        else
        {
            Append(text, rune);
        }

        return length;
    }

    private static void Append(StringBuilder text, Rune rune)
    {
        switch (rune.Value)
        {
            case '\n':
                text.Append("\\n");
                break;
            case '\r':
                text.Append("\\r");
                break;
            case '\t':
                text.Append("\\t");
                break;
            case 0:
                text.Append("\\0");
                break;
            case '\\':
                text.Append("\\\\");
                break;
            case < 0x20 or 0x7f:
                text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            default:
                if (IsPrintable(rune))
                {
                    text.Append(rune);
                }
                else
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
                }

                break;
        }
    }

    /// <summary>Format characters reorder text or hide in it (UAX #9, "Trojan Source"); the rest of these have no shape to show.</summary>
    internal static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
