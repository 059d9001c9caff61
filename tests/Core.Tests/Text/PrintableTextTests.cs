using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;

namespace Doorbell.Tests;

/// <summary>Nothing a peer sends may drive a terminal or forge a log line.</summary>
public sealed class PrintableTextTests
{
    [Theory]
    [InlineData("plain text, ünïcödé 日本", "plain text, ünïcödé 日本")]
    [InlineData("a\r\nb\tc\0", @"a\r\nb\tc\0")]
    [InlineData("\u001b[31mred", @"\x1b[31mred")]
    [InlineData(@"back\slash", @"back\\slash")]
    [InlineData("\u202eevil\u200b", @"\u{202e}evil\u{200b}")]
    [InlineData("\u009b\u2028", @"\u{9b}\u{2028}")]
    public void Text_is_shown_and_all_else_is_named(string text, string shown) =>
        Assert.Equal(shown, PrintableText.Escape(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Bytes_that_are_no_text_are_shown_as_numbers() => Assert.Equal(@"\xff\xc3(", PrintableText.Escape([0xff, 0xc3, (byte)'(']));

    [Fact]
    public void A_long_text_is_cut_and_counted() => Assert.Equal("aaa… (10 bytes)", PrintableText.Escape("aaaaaaaaaa"u8, maxBytes: 3));

    [Fact]
    public void At_a_terminal_lines_and_tabs_stay_and_nothing_else_passes() =>
        Assert.Equal("a\r\nb\tc\\n\\x1b\\rX\\x07", PrintableText.EscapeKeepingLines("a\r\nb\tc\\n\u001b\rX\a"u8));

    [Fact]
    public void No_scalar_value_at_all_reaches_a_terminal_as_a_control_or_format_character()
    {
        foreach (Rune rune in Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(static value => new Rune(value)))
        {
            string shown = PrintableText.Escape(rune.ToString());
            Assert.True(shown.EnumerateRunes().All(IsHarmless), $"U+{rune.Value:X4} is shown as it is");
            bool isShownAsItIs = shown.Replace(@"\\", @"\", StringComparison.Ordinal) == rune.ToString();
            Assert.Equal(isShownAsItIs, PrintableText.IsPrintable(rune.ToString()));
        }
    }

    [Fact]
    public void No_bytes_at_all_give_a_control_or_format_character() => _peerBytes.Sample(static bytes =>
        PrintableText.Escape(bytes, int.MaxValue).EnumerateRunes().All(IsHarmless)
        && PrintableText.Escape(bytes, maxBytes: 5).EnumerateRunes().All(IsHarmless));

    [Fact]
    public void What_is_shown_stands_for_these_bytes_and_no_others() => _peerBytes.Sample(static bytes =>
        Unescape(PrintableText.Escape(bytes, int.MaxValue)).AsSpan().SequenceEqual(bytes));

    [Fact]
    public void A_lone_surrogate_can_not_be_printed()
    {
        Assert.False(PrintableText.IsPrintable("a\ud800"));
        Assert.True(PrintableText.IsPrintable(@"/run/dö or\日本"));
    }

    // Random bytes alone hardly ever make a character that a terminal obeys.
    private static readonly Gen<byte[]> _peerBytes = Gen.OneOf(
        Gen.Byte.Array[1, 4],
        Gen.OneOfConst("\u202e", "\u2066", "\u200f", "\u2028", "\u009b", "\u001b[", "\\", "x1b", "\0", "0", "\r\n", "\ue000", "日", "{e}")
            .Select(Encoding.UTF8.GetBytes)).Array[0, 20].Select(static parts => parts.SelectMany(static part => part).ToArray());

    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static byte[] Unescape(string shown) =>
        [.. Regex.Matches(shown, @"\\x(?<byte>..)|\\u\{(?<rune>[0-9a-f]+)\}|\\(?<letter>.)|[^\\]+").SelectMany(Meaning)];

    private static byte[] Meaning(Match match)
    {
        if (match.Groups["byte"] is { Success: true } number)
        {
            return [(byte)Hex(number.Value)];
        }

        if (match.Groups["rune"] is { Success: true } rune)
        {
            return Encoding.UTF8.GetBytes(new Rune(Hex(rune.Value)).ToString());
        }

        return match.Groups["letter"] is { Success: true } letter
            ? [(byte)"\n\r\t\0\\"[@"nrt0\".IndexOf(letter.Value, StringComparison.Ordinal)]]
            : Encoding.UTF8.GetBytes(match.Value);
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
