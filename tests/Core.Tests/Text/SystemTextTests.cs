namespace Doorbell.Tests;

/// <summary>Bytes of the system as text, and back.</summary>
public sealed class SystemTextTests
{
    [Fact]
    public void Any_bytes_come_back_as_they_were()
    {
        Random random = new(40);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(12)];
            random.NextBytes(bytes);
            Assert.Equal(bytes, SystemText.ToBytes(SystemText.FromBytes(bytes)));
        }
    }

    [Fact]
    public void Text_is_text_and_a_stray_byte_a_character_of_its_own()
    {
        Assert.Equal("é\udcff\udcc3", SystemText.FromBytes([0xc3, 0xa9, 0xff, 0xc3]));
        Assert.Equal([0xef, 0xbf, 0xbd, (byte)'-', 0x80], SystemText.ToBytes("\ud800-\udc80"));
        Assert.Equal("a\\xff", PrintableText.Escape("a\udcff"));
    }
}
