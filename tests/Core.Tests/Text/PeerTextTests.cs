using System.Globalization;
using System.Text;
using CsCheck;

namespace Doorbell.Tests;

/// <summary>Nothing a peer sends may drive a terminal or forge a log line.</summary>
public sealed class PeerTextTests
{
    [Theory]
    [InlineData("plain text, ünïcödé 日本", "plain text, ünïcödé 日本")]
    [InlineData("a\r\nb\tc\0", @"a\r\nb\tc\0")]
    [InlineData("\u001b[31mred", @"\x1b[31mred")]
    [InlineData(@"back\slash", @"back\\slash")]
    [InlineData("\u202eevil\u200b", @"\u{202e}evil\u{200b}")]
    [InlineData("\u009b\u2028", @"\u{9b}\u{2028}")]
    public void Text_is_shown_and_all_else_is_named(string text, string shown) =>
        Assert.Equal(shown, PeerText.Escape(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Bytes_that_are_no_text_are_shown_as_numbers() => Assert.Equal(@"\xff\xc3(", PeerText.Escape([0xff, 0xc3, (byte)'(']));

    [Fact]
    public void A_long_text_is_cut_and_counted() => Assert.Equal("aaa… (10 bytes)", PeerText.Escape("aaaaaaaaaa"u8, maxBytes: 3));

    [Fact]
    public void At_a_terminal_lines_and_tabs_stay_and_nothing_else_passes() =>
        Assert.Equal("a\r\nb\tc\\n\\x1b\\rX\\x07", PeerText.EscapeKeepingLines("a\r\nb\tc\\n\u001b\rX\a"u8));

    [Fact]
    public void No_bytes_at_all_give_a_control_or_format_character() => Gen.Byte.Array[0, 300].Sample(static bytes =>
        PeerText.Escape(bytes).EnumerateRunes().All(static rune =>
            Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator)));
}
