using System.Text;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>URIs of CoAP resources: RFC 7252 sections 6.1 to 6.5 and 5.10.1, with the examples of the RFC.</summary>
public sealed class CoapUriTests
{
    /// <summary>Section 6.3: the three are equivalent.</summary>
    [Theory]
    [InlineData("coap://example.com:5683/~sensors/temp.xml")]
    [InlineData("coap://EXAMPLE.com/%7Esensors/temp.xml")]
    [InlineData("coap://EXAMPLE.com:/%7esensors/temp.xml")]
    public void Equivalent_URIs_of_the_RFC_are_one(string text)
    {
        CoapUri uri = CoapUri.Parse(text);
        Assert.Equal("coap://example.com/~sensors/temp.xml", uri.ToString());
        Assert.Equal(["~sensors", "temp.xml"], uri.Path.Segments);
        Assert.Equal(("example.com", 5683), (uri.HostName, uri.Endpoint.Port));
        Assert.Equal(CoapUri.Parse("coap://example.com/~sensors/temp.xml"), uri);
    }

    /// <summary>Appendix B, both ways.</summary>
    [Theory]
    [InlineData("coap://[2001:db8::2:1]/", null, 5683, "", "")]
    [InlineData("coap://example.net/", "example.net", 5683, "", "")]
    [InlineData("coap://example.net/.well-known/core", "example.net", 5683, ".well-known|core", "")]
    [InlineData(
        "coap://xn--18j4d.example/%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF",
        "xn--18j4d.example", 5683, "\u3053\u3093\u306b\u3061\u306f", "")]
    [InlineData("coap://198.51.100.1:61616//%2F//?%2F%2F&?%26", null, 61616, "|/||", "//|?&")]
    public void Examples_of_the_RFC_are_read_and_written(string text, string? host, int port, string path, string query)
    {
        CoapUri uri = CoapUri.Parse(text);
        Assert.Equal((host, port), (uri.HostName, uri.Endpoint.Port));
        Assert.Equal(path.Length == 0 ? [] : path.Split('|'), uri.Path.Segments);
        Assert.Equal(query.Length == 0 ? [] : query.Split('|'), uri.Query);
        Assert.Equal(text, uri.ToString());
    }

    [Theory]
    [InlineData("/ps/%2F/cached", "ps|/|cached")]
    [InlineData("/a%2fb/c%3Fd", "a/b|c?d")]
    [InlineData("//", "|")]
    [InlineData("/a/", "a|")]
    [InlineData("/a//b", "a||b")]
    [InlineData("/a/./b", "a|b")]
    [InlineData("/a/../b", "b")]
    [InlineData("/a/b/..", "a|")]
    [InlineData("/../../a", "a")]
    [InlineData("/a//..", "a|")]
    [InlineData("/..//", "|")]
    [InlineData("/a/%2e%2E/b", "b")]
    [InlineData("/a/%2e./.%2e/%2e", "")]
    [InlineData("/.../..a/b.", "...|..a|b.")]
    [InlineData("/a/%2e%2e%2fb", "a|../b")]
    [InlineData("/100%25", "100%")]
    [InlineData("/caf\u00e9/%C3%A9", "caf\u00e9|\u00e9")]
    [InlineData("/a+b", "a+b")]
    [InlineData("/a:b@c;d=e,f!$&'()*", "a:b@c;d=e,f!$&'()*")]
    public void Segments_are_cut_then_decoded_then_resolved(string path, string segments)
    {
        CoapUri uri = CoapUri.Parse("coap://h" + path);
        Assert.Equal(segments.Length == 0 ? [] : segments.Split('|'), uri.Path.Segments);
        Assert.Equal(uri, CoapUri.Parse(uri.ToString()));
    }

    [Theory]
    [InlineData("?a=1&b=2", "a=1|b=2")]
    [InlineData("?a%26b&c", "a&b|c")]
    [InlineData("?", "")]
    [InlineData("?a&&b", "a||b")]
    [InlineData("?a=/x?y", "a=/x?y")]
    [InlineData("/..?../x", "../x")]
    public void Arguments_are_cut_then_decoded(string rest, string arguments)
    {
        CoapUri uri = CoapUri.Parse("coap://h" + rest);
        Assert.Equal(arguments.Split('|'), uri.Query);
        Assert.Empty(uri.Path.Segments);
        Assert.Equal(uri, CoapUri.Parse(uri.ToString()));
    }

    [Theory]
    [InlineData("coap://H/x", "h", 5683, "coap://h/x")]
    [InlineData("COAP://h:/x", "h", 5683, "coap://h/x")]
    [InlineData("coap://h:05684/x", "h", 5684, "coap://h:5684/x")]
    [InlineData("coap://h", "h", 5683, "coap://h/")]
    [InlineData("coap://LocalHost/x", "localhost", 5683, "coap://localhost/x")]
    [InlineData("coap://%48ost.example/x", "host.example", 5683, "coap://host.example/x")]
    [InlineData("coap://B\u00dcCHER.example/x", "xn--bcher-kva.example", 5683, "coap://xn--bcher-kva.example/x")]
    [InlineData("coap://b%C3%BCcher.example/x", "xn--bcher-kva.example", 5683, "coap://xn--bcher-kva.example/x")]
    [InlineData("coap://127.0.0.1:5683", null, 5683, "coap://127.0.0.1/")]
    [InlineData("coap://[::1]:/x", null, 5683, "coap://[::1]/x")]
    [InlineData("coap://[2001:DB8::1]:7000", null, 7000, "coap://[2001:db8::1]:7000/")]
    public void The_server_has_a_lower_case_name_and_a_port(string text, string? host, int port, string written)
    {
        CoapUri uri = CoapUri.Parse(text);
        Assert.Equal((host, port, written), (uri.HostName, uri.Endpoint.Port, uri.ToString()));
    }

    [Theory]
    [InlineData("coap:///x", "the host is missing")]
    [InlineData("coap://", "the host is missing")]
    [InlineData("coap://:5683/x", "the host is missing")]
    [InlineData("coap://?x", "the host is missing")]
    [InlineData("coap://user@h/x", "names no user")]
    [InlineData("coap://h/x#y", "no fragment")]
    [InlineData("coap://h/%", "two hexadecimal digits")]
    [InlineData("coap://h/%4", "two hexadecimal digits")]
    [InlineData("coap://h/%zz", "two hexadecimal digits")]
    [InlineData("coap://h/x?100%", "two hexadecimal digits")]
    [InlineData("coap://h%2/x", "two hexadecimal digits")]
    [InlineData("coap://h/%ff", "no UTF-8")]
    [InlineData("coap://h/%C3/%A9", "no UTF-8")]
    [InlineData("coap://h/x?%C3&%A9", "no UTF-8")]
    [InlineData("coap://h%2Fx/y", "no host")]
    [InlineData("coap://h:65536/x", "no port")]
    [InlineData("coap://h:x/x", "no port")]
    [InlineData("coaps://h/x", "needs DTLS or TLS")]
    [InlineData("coaps+tcp://h/x", "needs DTLS or TLS")]
    [InlineData("coap+tcp:///x", "the host is missing")]
    [InlineData("coap+ws://h/x", "must begin with coap:// or coap+tcp://")]
    [InlineData("COAPS+TCP://h/x", "needs DTLS or TLS")]
    [InlineData("http://h/x", "must begin with coap:// or coap+tcp://")]
    public void What_is_no_URI_is_told_why(string text, string why)
    {
        Assert.False(CoapUri.TryParse(text, out _, out string? error));
        Assert.Contains(why, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_no_character() => What_is_no_URI_is_told_why("coap://h/" + '\ud800', "no UTF-8");

    /// <summary>RFC 8323 section 8.1: the same but for the scheme and the transport.</summary>
    [Fact]
    public void Over_TCP_it_is_another_server()
    {
        CoapUri uri = CoapUri.Parse("COAP+TCP://Example.net/a/b?c");
        Assert.Equal("tcp://example.net:5683", uri.Endpoint.ToString());
        Assert.Equal(("coap+tcp://example.net", "coap+tcp://example.net/a/b?c"), (uri.Server, uri.ToString()));
        Assert.NotEqual(CoapUri.Parse("coap://example.net/a/b?c"), uri);
        Assert.Equal("coap+tcp://[::1]:7/x", CoapUri.Parse("coap+tcp://[::1]:7/x").ToString());
    }

    /// <summary>Section 6.5 undoes section 6.4, whatever the segments and the arguments are.</summary>
    [Fact]
    public void What_is_written_is_read_back() => Gen.Select(
        Gen.String[Gen.Char["aB~%/?&#.+ \u00e9\u3053:@[]\0\\"], 0, 5].Where(static text => text is not ("." or "..")).Array[0, 5],
        Gen.String[Gen.Char["aB~%/?&#.+ \u00e9=:@"], 0, 5].Array[0, 3]).Sample(static (segments, arguments) =>
        {
            string path = CoapPath.Of(segments).ToString();
            string query = string.Join('&', arguments.Select(CoapPercent.EncodeArgument));
            CoapUri uri = CoapUri.Parse($"coap://h{path}{(arguments.Length > 0 ? "?" : "")}{query}");
            Assert.Equal(segments is [""] ? [] : segments, uri.Path.Segments);
            Assert.Equal(arguments, uri.Query);
            Assert.True(uri.ToString().All(static letter => char.IsAscii(letter) && letter is > ' ' and not ('"' or '<' or '>' or '\\')));
        });

    /// <summary>Each segment and each argument is an option of its own, and the name is the option Uri-Host.</summary>
    [Fact]
    public void The_parts_become_options()
    {
        CoapUri uri = CoapUri.Parse("coap://EXAMPLE.net/ps/%2F//caf%C3%A9?a&b=%26");
        CoapConversation talk = new();
        talk.Ask(new CoapClientRequest { Method = CoapCode.Get, Path = uri.Path, Query = uri.Query, Host = uri.HostName });
        Assert.True(talk.Client.TryTakeDatagram(out ReadOnlySpan<byte> datagram));
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(datagram, out CoapMessage message));
        List<string> options = [];
        foreach (CoapOption option in message.Options)
        {
            if (option.Number <= CoapOptionNumber.UriQuery)
            {
                options.Add($"{option.Number} {Encoding.UTF8.GetString(option.Value)}");
            }
        }

        Assert.Equal(["3 example.net", "11 ps", "11 /", "11 ", "11 caf\u00e9", "15 a", "15 b=&"], options);
    }

    [Theory]
    [InlineData("a/../b")]
    [InlineData("./b")]
    public void A_segment_of_dots_goes_into_no_option(string path) => Assert.Contains(
        "resolve it first",
        Assert.Throws<ArgumentException>(() => new CoapConversation().Ask(path, "hello")).Message,
        StringComparison.Ordinal);
}
