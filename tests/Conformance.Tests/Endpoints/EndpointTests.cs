using CsCheck;

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
    [InlineData("unix+dgram:///run/door", "unix+dgram:///run/door")]
    public void A_right_endpoint_has_one_canonical_form(string text, string canonical)
    {
        Endpoint endpoint = Endpoint.Parse(text);
        Assert.Equal(canonical, endpoint.ToString());
        Assert.Equal(endpoint, Endpoint.Parse(canonical));
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
    [InlineData("tcp://a b:6789", "no host")]
    [InlineData("unix://relative", "three slashes")]
    [InlineData("unix:", "path is missing")]
    public void A_wrong_endpoint_is_told_what_is_wrong_in_one_line(string text, string part)
    {
        Assert.False(Endpoint.TryParse(text, out _, out string? error));
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
        Assert.Equal(error, Assert.Throws<FormatException>(() => Endpoint.Parse(text)).Message);
    }

    [Fact]
    public void A_unix_path_longer_than_a_socket_address_holds_is_refused()
    {
        Assert.True(Endpoint.TryParse("unix:///" + new string('x', 106), out _, out _));
        Assert.False(Endpoint.TryParse("unix:///" + new string('x', 107), out _, out string? error));
        Assert.Contains("107", error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_at_all_throws_anything_else_or_reaches_the_terminal_unescaped() => Gen.OneOf(
        Gen.String,
        Gen.Select(Gen.OneOfConst("tcp://", "udp://", "unix:", ""), Gen.String, static (scheme,
            rest) => scheme + rest)).Sample(static text =>
    {
        if (Endpoint.TryParse(text, out Endpoint? endpoint, out string? error))
        {
            Assert.DoesNotContain(endpoint.ToString(), char.IsControl);
        }
        else
        {
            Assert.DoesNotContain(error, char.IsControl);
        }
    });
}
