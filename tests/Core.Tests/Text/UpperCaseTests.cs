using System.Buffers;
using System.Text;
using CsCheck;

namespace Doorbell.Tests;

/// <summary>Upper case of text and of what is none. That every scalar is mapped as a JDK maps it, Peers.Tests asks a JDK.</summary>
public sealed class UpperCaseTests
{
    [Theory]
    [InlineData("straße", "STRASSE")]
    [InlineData("ŉ", "ʼN")]
    [InlineData("ﬃ", "FFI")]
    [InlineData("ΐ", "\u0399\u0308\u0301")]
    [InlineData("ıſµÿ", "ISΜŸ")]
    [InlineData("ǆǅ", "ǄǄ")]
    [InlineData("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ")]
    [InlineData("ა", "Ა")]
    [InlineData("𐐨", "𐐀")]
    [InlineData("日本語 😀 123", "日本語 😀 123")]
    public void Text_gets_its_full_upper_case(string text, string upper) =>
        Assert.Equal(upper, Encoding.UTF8.GetString(Unicode(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("c3", "c3")]
    [InlineData("ff61fe", "ff41fe")]
    [InlineData("c0af61", "c0af41")]
    [InlineData("eda08061", "eda08041")]
    [InlineData("f4908080", "f4908080")]
    [InlineData("e28261", "e28241")]
    [InlineData("c30a", "c30a")]
    [InlineData("f09090", "f09090")]
    [InlineData("80bf61", "80bf41")]
    public void Bytes_that_are_no_text_pass_unchanged(string bytes, string upper) =>
        Assert.Equal(upper, Convert.ToHexStringLower(Unicode(Convert.FromHexString(bytes))));

    [Fact]
    public void A_sequence_that_may_still_be_completed_is_left_unless_nothing_follows()
    {
        ArrayBufferWriter<byte> output = new();
        Assert.Equal(1, UpperCase.Unicode([(byte)'a', 0xf0, 0x90, 0x90], output, isFinal: false));
        Assert.Equal("A"u8, output.WrittenSpan);
        Assert.Equal(3, UpperCase.Unicode([0xf0, 0x90, 0x90], output, isFinal: true));
    }

    [Fact]
    public void No_scalar_grows_more_than_threefold()
    {
        int largest = 0;
        foreach (Rune scalar in AllScalars())
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(scalar.ToString());
            largest = Math.Max(largest, Unicode(utf8).Length * 100 / utf8.Length);
        }

        Assert.Equal(100 * UpperCase.MaxGrowth, largest);
    }

    [Fact]
    public void Any_bytes_cut_anywhere_give_the_same_result() =>
        Gen.Select(Mixed, Gen.Int[0, 1000]).Sample(
            static (bytes, at) =>
            {
                int cut = bytes.Length == 0 ? 0 : at % bytes.Length;
                ArrayBufferWriter<byte> output = new();
                int consumed = UpperCase.Unicode(bytes.AsSpan(0, cut), output, isFinal: false);
                Assert.InRange(cut - consumed, 0, 3);
                UpperCase.Unicode(bytes.AsSpan(consumed), output, isFinal: true);
                return output.WrittenSpan.SequenceEqual(Unicode(bytes));
            },
            iter: 20_000);

    [Fact]
    public void Ascii_agrees_with_a_plain_loop_at_every_length_and_on_every_byte()
    {
        for (int length = 0; length < 300; length++)
        {
            byte[] bytes = [.. Enumerable.Range(length, length).Select(static i => (byte)i)];
            byte[] expected = [.. bytes.Select(static b => b is >= (byte)'a' and <= (byte)'z' ? (byte)(b - 32) : b)];
            ArrayBufferWriter<byte> output = new();
            UpperCase.Ascii(bytes, output);
            Assert.Equal(expected, output.WrittenSpan.ToArray());
        }
    }

    private static Gen<byte[]> Mixed => Gen.OneOf(
        Gen.Byte.Array[0, 200],
        Gen.Select(Gen.Int[0, 0x10ffff].Where(Rune.IsValid).Array[0, 60], static scalars =>
            scalars.SelectMany(static c => Encoding.UTF8.GetBytes(new Rune(c).ToString())).ToArray()),
        Gen.OneOfConst("a", "ß", "ж", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "𐐨").Array[0, 200]
            .Select(static parts => Encoding.UTF8.GetBytes(string.Concat(parts))));

    private static IEnumerable<Rune> AllScalars() => Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(static c => new Rune(c));

    private static byte[] Unicode(byte[] bytes)
    {
        ArrayBufferWriter<byte> output = new();
        Assert.Equal(bytes.Length, UpperCase.Unicode(bytes, output, isFinal: true));
        return output.WrittenSpan.ToArray();
    }
}
