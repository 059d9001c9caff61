using CsCheck;

namespace Doorbell.Tests;

/// <summary>A unix socket's path in an endpoint and in a proxy's header: every byte counts.</summary>
public sealed class EndpointPathTests
{
    [Fact]
    public void Bytes_and_their_replacement_are_different_names() =>
        Assert.NotEqual(SystemText.FromBytes("cl\ufffd0"u8), SystemText.FromBytes([(byte)'c', (byte)'l', 0xff, (byte)'0']));

    [Fact]
    public void What_is_no_utf8_is_printed_as_its_bytes()
    {
        Assert.Equal("cl\\xff0", PeerAddress.FromUnix("cl\udcff0").ToString());
        Assert.Equal("@cl\\xff0", PeerAddress.FromUnix("\0cl\udcff0").ToString());
    }

    /// <summary>Not in an attribute, whose strings are UTF-8.</summary>
    public static TheoryData<string, string, string> Texts => new()
    {
        { @"unix:///run/cl\xff0", "/run/cl\udcff0", @"unix:///run/cl\xff0" },
        { "unix:///run/cl\udcff0", "/run/cl\udcff0", @"unix:///run/cl\xff0" },
        { @"unix+dgram:a\x5cxff", @"a\xff", @"unix+dgram:a\x5cxff" },
        { @"unix:a\x5cb", @"a\b", @"unix:a\b" },
        { @"unix:a\x0Ab", "a\nb", @"unix:a\x0ab" },
        { @"unix:///\xc3\xa9", "/é", "unix:///é" },
        { "unix:@door", "\0door", "unix:@door" },
        { @"unix:\x00door", "\0door", "unix:@door" },
        { @"unix+dgram:@a/b@\xff", "\0a/b@\udcff", @"unix+dgram:@a/b@\xff" },
        { "unix:./@door", "./@door", "unix:./@door" },
        { @"unix:\x40door", "@door", @"unix:\x40door" },
    };

    [Theory]
    [MemberData(nameof(Texts), DisableDiscoveryEnumeration = true)]
    public void An_endpoint_says_any_byte(string text, string path, string shown)
    {
        Endpoint read = Endpoint.Parse(text);
        Assert.Equal(path, read.Path);
        Assert.Equal(shown, read.ToString());
        Assert.Equal(read, Endpoint.Parse(read.ToString()));
    }

    [Fact]
    public void An_endpoint_of_any_bytes_reads_back() => Gen.Byte[1, 255].Array[1, 40].Sample(static bytes =>
    {
        Endpoint made = Endpoint.Unix(Transport.Unix, "/" + SystemText.FromBytes(bytes));
        Assert.Equal(made, Endpoint.Parse(made.ToString()));
        Assert.True(PrintableText.IsPrintable(made.ToString()));
    });

    [Fact]
    public void An_abstract_name_of_any_bytes_reads_back() => Gen.Byte[1, 255].Array[1, 40].Sample(static bytes =>
    {
        Endpoint made = Endpoint.Unix(Transport.UnixDatagram, "\0" + SystemText.FromBytes(bytes));
        Assert.Equal(made, Endpoint.Parse(made.ToString()));
        Assert.StartsWith("unix+dgram:@", made.ToString(), StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("unix:@", "name is missing")]
    [InlineData("unix://@door", "unix:@door")]
    [InlineData(@"unix:@a\x00b", "NUL")]
    [InlineData("unix:@LONG", "108 bytes")]
    public void An_abstract_name_that_can_t_be_is_refused(string text, string why)
    {
        string given = text.Replace("LONG", new string('x', 107), StringComparison.Ordinal);
        Assert.False(Endpoint.TryParse(given, out _, out string? error));
        Assert.Contains(why, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_nul_is_refused_but_at_the_front_of_an_abstract_name()
    {
        Assert.False(Endpoint.TryParse(@"unix:///run/a\x00", out _, out string? error));
        Assert.Contains("NUL", error, StringComparison.Ordinal);
        Assert.Equal(OperatingSystem.IsLinux(), Endpoint.TryParse(@"unix:\x00name", out _, out _));
    }

    [Fact]
    public void A_proxy_header_keeps_every_byte_of_a_path()
    {
        System.Buffers.ArrayBufferWriter<byte> wire = new();
        PeerAddress odd = PeerAddress.FromUnix("/tmp/cl\udcff0");
        new ProxyHeader { Version = 2, Source = odd, Destination = odd }.Write(wire);
        Assert.Contains((byte)0xff, wire.WrittenSpan.ToArray());
    }
}
