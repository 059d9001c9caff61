using CsCheck;
using Doorbell.Coap;

namespace Doorbell.Tests;

/// <summary>Endpoints as people write them.</summary>
public sealed class EndpointTests
{
    [Theory]
    [InlineData("tcp://localhost:6789", "tcp://localhost:6789")]
    [InlineData("TCP://Example.org:80/", "tcp://Example.org:80")]
    [InlineData("udp://127.0.0.1:9876", "udp://127.0.0.1:9876")]
    [InlineData("udp://:9876", "udp://localhost:9876")]
    [InlineData("6789", "tcp://localhost:6789")]
    [InlineData(":6789", "tcp://localhost:6789")]
    [InlineData("host:6789", "tcp://host:6789")]
    [InlineData("[::1]:6789", "tcp://[::1]:6789")]
    [InlineData("tcp://[0:0::1]:0", "tcp://[::1]:0")]
    [InlineData("tcp://*:6789", "tcp://*:6789")]
    [InlineData("*:6789", "tcp://*:6789")]
    [InlineData("unix:///run/door", "unix:///run/door")]
    [InlineData("unix:/run/door", "unix:///run/door")]
    [InlineData("unix:door", "unix:door")]
    [InlineData("unix:./odd://door", "unix:./odd://door")]
    [InlineData(@"unix:///run/back\slash %41", @"unix:///run/back\slash %41")]
    [InlineData("tcp://:6789", "tcp://localhost:6789")]
    [InlineData("tcp://[::ffff:127.0.0.1]:1", "tcp://127.0.0.1:1")]
    [InlineData("tcp://[fe80::1%1]:6789", "tcp://[fe80::1%1]:6789")]
    [InlineData("udp://239.1.2.3:6789", "udp://239.1.2.3:6789")]
    [InlineData("udp://239.1.2.3%1:6789", "udp://239.1.2.3%1:6789")]
    [InlineData("udp://224.0.0.1%lo:6789", "udp://224.0.0.1%1:6789")]
    [InlineData("udp://[ff02::1%lo]:6789", "udp://[ff02::1%1]:6789")]
    [InlineData("tcp://bücher.example.:80", "tcp://bücher.example.:80")]
    [InlineData("unix+dgram:///run/door", "unix+dgram:///run/door")]
    [InlineData("coap://localhost", "coap://localhost:5683")]
    [InlineData("coap://localhost/", "coap://localhost:5683")]
    [InlineData("COAP://[::1]", "coap://[::1]:5683")]
    [InlineData("coap://*:0", "coap://*:0")]
    public void A_right_endpoint_has_one_canonical_form(string text, string canonical)
    {
        Endpoint endpoint = Endpoint.Parse(text, CoapService.Scheme);
        Assert.Equal(canonical, endpoint.ToString());
        Assert.Equal(endpoint, Endpoint.Parse(canonical, CoapService.Scheme));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("localhost", "port is missing")]
    [InlineData("tcp://localhost", "port is missing")]
    [InlineData("tcp://localhost:", "port is missing")]
    [InlineData("tcp://localhost:70000", "from 0 to 65535")]
    [InlineData("tcp://localhost:-1", "from 0 to 65535")]
    [InlineData("tcp://localhost:http", "from 0 to 65535")]
    [InlineData("http://localhost:80", "scheme must be")]
    [InlineData("tcp://::1:6789", "brackets")]
    [InlineData("tcp://[::x]:6789", "no IPv6 address")]
    [InlineData("tcp://[127.0.0.1]:6789", "no IPv6 address")]
    [InlineData("tcp://[fe80::1%nonexistent0]:6789", "\"nonexistent0\" is no interface")]
    [InlineData("tcp://[fe80::1%]:6789", "is no interface")]
    [InlineData("udp://239.1.2.3%nonexistent0:6789", "\"nonexistent0\" is no interface of this machine")]
    [InlineData("udp://239.1.2.3%:6789", "is no interface")]
    [InlineData("udp://239.1.2.3%0:6789", "is no interface")]
    [InlineData("udp://239.1.2.3%lo%lo:6789", "is no interface")]
    [InlineData("udp://239.1.2.3%16777216:6789", "is no interface")]
    [InlineData("udp://239.1.2%lo:6789", "is no IPv4 address")]
    [InlineData("udp://127.0.0.1%lo:6789", "only if it is a group's")]
    [InlineData("udp://240.0.0.1%lo:6789", "only if it is a group's")]
    [InlineData("udp://%lo:6789", "is no host")]
    [InlineData("udp://name%lo:6789", "is no host")]
    [InlineData("tcp://[[::1]:80]:6789", "no IPv6 address")]
    [InlineData("tcp://127.1:6789", "no IPv4 address")]
    [InlineData("tcp://010.0.0.1:6789", "no IPv4 address")]
    [InlineData("tcp://0x7f000001:6789", "no IPv4 address")]
    [InlineData("tcp://256.0.0.1:6789", "no IPv4 address")]
    [InlineData("tcp://a b:6789", "no host")]
    [InlineData("tcp://a..b:6789", "no host")]
    [InlineData("tcp://user@host:6789", "no host")]
    [InlineData("tcp://a\u202eb:6789", @"a\u{202e}b")]
    [InlineData("tcp://a\u001b[2Jb:6789", @"a\x1b[2Jb")]
    [InlineData("https://localhost:80", "not \"https\": try tcp://")]
    [InlineData("tpc://localhost:80", "try tcp://")]
    [InlineData("quic://localhost:80", "try udp://")]
    [InlineData("upd://localhost:80", "try udp://")]
    [InlineData("unixgram:///run/door", "try unix+dgram:///")]
    [InlineData("unx:///run/door", "try unix:///")]
    [InlineData("://localhost:80", "not nothing: try")]
    [InlineData("unix:///run/a\nb", "can't be shown")]
    [InlineData("unix:///run/a\0", "can't be shown")]
    [InlineData("unix:///run/a\u202eb", "can't be shown")]
    [InlineData("unix://relative", "three slashes")]
    [InlineData("unix:", "path is missing")]
    [InlineData("coap://localhost/capitalize", "has no path, as in coap://")]
    [InlineData("coap://localhost:x", "no port")]
    [InlineData("coaps://localhost", "try coap://")]
    public void A_wrong_endpoint_is_told_what_is_wrong_in_one_line(string text, string part)
    {
        Assert.False(Endpoint.TryParse(text, [CoapService.Scheme], out _, out string? error));
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
        Assert.Equal(error, Assert.Throws<FormatException>(() => Endpoint.Parse(text, CoapService.Scheme)).Message);
    }

    [Fact]
    public void A_unix_path_longer_than_a_socket_address_holds_is_refused()
    {
        Assert.True(Endpoint.TryParse("unix:///" + new string('x', 106), out _, out _));
        Assert.False(Endpoint.TryParse("unix:///" + new string('x', 107), out _, out string? error));
        Assert.Contains("107", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_text_that_is_an_endpoint_is_printed_as_one_line_that_reads_back_the_same() => _texts.Sample(static text =>
    {
        if (Endpoint.TryParse(text, out Endpoint? endpoint, out string? error))
        {
            string printed = endpoint.ToString();
            Assert.True(PrintableText.IsPrintable(printed), PrintableText.Escape(printed));
            Assert.Equal(endpoint, Endpoint.Parse(printed));
            Assert.Equal(printed, Endpoint.Parse(printed).ToString());
        }
        else
        {
            Assert.True(PrintableText.IsPrintable(error), PrintableText.Escape(error));
            Assert.Matches("as in [tu]|such as [tu]|try [tu]", error);
        }
    });

    // Pieces that make endpoints of about every second text, with what could break them in between.
    private static readonly Gen<string> _texts = Gen.Select(
        Gen.OneOfConst("tcp://", "udp://", "unix://", "unix:", "unix+dgram:", "UNIX+dgram:///", "http://", ""),
        Gen.OneOf(
            Gen.OneOfConst("localhost", "*", "127.0.0.1", "[::1]", "[fe80::1%1]", "239.1.2.3%1", "/run/door", "a-b.c", "::", ".", "%", "\\",
                "\u202e", "é"),
            Gen.String[0, 3]).Array[0, 3],
        Gen.OneOfConst(":80", ":0", ":65536", ":", "/", ""),
        static (scheme, pieces, port) => scheme + string.Concat(pieces) + port);
}
