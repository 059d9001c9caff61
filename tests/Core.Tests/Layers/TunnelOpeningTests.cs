using System.Text;
using CsCheck;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>The client's side of SOCKS 5 and of HTTP's CONNECT.</summary>
public sealed class TunnelOpeningTests
{
    private const string Ok5 = "\x05\x00\x00\x01\x7f\x00\x00\x01\x1a\x85";

    /// <summary>The proxy, the target, and what is said in turns: first we, then the proxy.</summary>
    public static TheoryData<string, string, string[]> Opened => new()
    {
        {
            "socks5://p:1080", "tcp://example.org:443",
            ["\x05\x01\x00", "\x05\x00", "\x05\x01\x00\x03\x0b" + "example.org\x01\xbb", Ok5]
        },
        { "socks5h://p:1080", "tcp://10.0.0.2:7", ["\x05\x01\x00", "\x05\x00", "\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x07", Ok5] },
        {
            "socks5://p:1080", "tcp://[2001:db8::1]:80",
            [
                "\x05\x01\x00", "\x05\x00", "\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50",
                "\x05\0\0\x04" + "0123456789abcdef\0\x01",
            ]
        },
        {
            "socks5://an%40na:s%3Ae@p:1080", "tcp://a:1",
            [
                "\x05\x02\x00\x02", "\x05\x02", "\x01\x05" + "an@na\x03s:e", "\x01\x00", "\x05\x01\x00\x03\x01" + "a\x00\x01",
                "\x05\0\0\x03\x04" + "name\0\x01",
            ]
        },
        { "socks5://anna@p:1080", "tcp://a:1", ["\x05\x02\x00\x02", "\x05\x00", "\x05\x01\x00\x03\x01" + "a\x00\x01", Ok5] },
        { "http://p:8080", "tcp://a:1", ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] },
        {
            "http://p:8080", "tcp://[::1]:7",
            ["CONNECT [::1]:7 HTTP/1.1\r\nHost: [::1]:7\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204\nServer: x\n\n"]
        },
        {
            "http://an%40na:s:e@p:8080", "tcp://a:1",
            ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Authorization: Basic YW5AbmE6czpl\r\n\r\n", "HTTP/1.1 200\r\n\r\n"]
        },
    };

    public static TheoryData<string, string, string, string> Refused => new()
    {
        { "socks5://p:1", "HTTP/1.1 400 Bad Request\r\n\r\n", "EPROTO", "does not speak SOCKS 5" },
        { "socks5://p:1", "\x05\xff", "EACCES", "asks for a user name and a password" },
        { "socks5://u:x@p:1", "\x05\xff", "EACCES", "asks for another way to log in" },
        { "socks5://p:1", "\x05\x02", "EACCES", "asks for another way to log in" },
        { "socks5://u:x@p:1", "\x05\x02\x01\x01", "EACCES", "refuses the user name or the password" },
        { "socks5://p:1", "\x05\x00\x05\x01", "EIO", "a failure of its own (SOCKS reply 1)" },
        { "socks5://p:1", "\x05\x00\x05\x02\x00\x01", "EACCES", "does not connect to tcp://target:9: its rules do not allow it" },
        { "socks5://p:1", "\x05\x00\x05\x03", "ENETUNREACH", "the network is unreachable" },
        { "socks5://p:1", "\x05\x00\x05\x04", "EHOSTUNREACH", "its name is not known" },
        { "socks5://p:1", "\x05\x00\x05\x05", "ECONNREFUSED", "the connection was refused" },
        { "socks5://p:1", "\x05\x00\x05\x06", "ETIMEDOUT", "the time to live expired" },
        { "socks5://p:1", "\x05\x00\x05\x07", "EOPNOTSUPP", "it makes no connections" },
        { "socks5://p:1", "\x05\x00\x05\x08", "EAFNOSUPPORT", "this kind of address" },
        { "socks5://p:1", "\x05\x00\x05\x00\x00\x02\x00", "EPROTO", "an address of kind 2" },
        { "socks5://p:1", "\x05\x00\x04\x00", "EIO", "(SOCKS reply 0)" },
        { "http://p:1", "\x05\x00HTTP/1.1", "EPROTO", "does not speak HTTP/1.1" },
        { "http://p:1", "HTTP/1.1 2x0 OK\r\n\r\n", "EPROTO", "does not speak HTTP/1.1" },
        { "http://p:1", "HTTP/1.1\r\n\r\n", "EPROTO", "does not speak HTTP/1.1" },
        { "http://p:1", "HTTP/1.1 2000 OK\r\n\r\n", "EPROTO", "does not speak HTTP/1.1" },
        { "http://p:1", "HTTP/1.1 407 Who?\r\n\r\n", "EACCES", "asks for a user name and a password (407)" },
        { "http://u:p@p:1", "HTTP/1.1 407 Who?\r\n\r\n", "EACCES", "refuses the user name or the password (407)" },
        { "http://p:1", "HTTP/1.1 403 \x1b[31mNo\r\n\r\n", "EACCES", "it answers 403 \\x1b[31mNo" },
        { "http://p:1", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "EHOSTUNREACH", "tcp://target:9: it answers 502 Bad Gateway" },
        { "http://p:1", "HTTP/1.1 504 Late\r\n\r\n", "ETIMEDOUT", "it answers 504 Late" },
        { "http://p:1", "HTTP/1.1 301 Moved\r\n\r\n", "EIO", "it answers 301 Moved" },
        { "http://p:1", "HTTP/1.1 200 " + new string('x', 20_000), "EPROTO", "a head of more than 16384 bytes" },
    };

    [Theory]
    [MemberData(nameof(Opened), DisableDiscoveryEnumeration = true)]
    public void It_says_what_the_protocol_has_and_takes_no_byte_of_the_target(string proxy, string target, string[] dialogue)
    {
        TunnelOpening opening = new([TunnelProxy.Parse(proxy)], Endpoint.Parse(target));
        for (int i = 0; i < dialogue.Length; i += 2)
        {
            Assert.Equal(dialogue[i], Said(opening));
            Assert.False(opening.IsOpen);
            bool isLast = i + 2 == dialogue.Length;
            byte[] answer = Encoding.Latin1.GetBytes(dialogue[i + 1] + (isLast ? "220 hello\r\n" : ""));
            Assert.Equal(dialogue[i + 1].Length, opening.Received(answer));
            Assert.Null(opening.Failure);
        }

        Assert.True(opening.IsOpen);
        Assert.Equal("", Said(opening));
    }

    [Theory]
    [MemberData(nameof(Opened), DisableDiscoveryEnumeration = true)]
    public void Pieces_of_any_size_say_the_same(string proxy, string target, string[] dialogue) => Gen.Int[1, 5].Sample(size =>
    {
        TunnelOpening opening = new([TunnelProxy.Parse(proxy)], Endpoint.Parse(target));
        for (int i = 0; i < dialogue.Length; i += 2)
        {
            Assert.Equal(dialogue[i], Said(opening));
            foreach (char[] piece in dialogue[i + 1].Chunk(size))
            {
                Assert.Equal(piece.Length, opening.Received(Encoding.Latin1.GetBytes(piece)));
            }
        }

        Assert.True(opening.IsOpen);
    }, iter: 20);

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void A_refusal_is_told_in_words(string proxy, string answer, string error, string why)
    {
        TunnelOpening opening = new([TunnelProxy.Parse(proxy)], Endpoint.Parse("tcp://target:9"));
        byte[] rest = Encoding.Latin1.GetBytes(answer);
        for (int taken = 0; taken < rest.Length && opening.Failure is null;)
        {
            int count = opening.Received(rest.AsSpan(taken, 1));
            Assert.Equal(1, count);
            taken += count;
            Assert.False(opening.IsOpen);
        }

        Assert.Contains(why, opening.Failure, StringComparison.Ordinal);
        Assert.Contains($"the proxy {TunnelProxy.Parse(proxy)}", opening.Failure, StringComparison.Ordinal);
        Assert.Equal(error, opening.Error);
        Assert.Equal(0, opening.Received("x"u8));
    }

    [Fact]
    public void One_proxy_is_asked_for_the_next()
    {
        TunnelProxy[] via = [TunnelProxy.Parse("socks5://a:1"), TunnelProxy.Parse("http://b:2"), TunnelProxy.Parse("socks5://10.0.0.3:3")];
        TunnelOpening opening = new(via, Endpoint.Parse("tcp://target:4"));
        Assert.Equal("\x05\x01\x00", Said(opening));
        Hear(opening, "\x05\x00");
        Assert.Equal("\x05\x01\x00\x03\x01" + "b\x00\x02", Said(opening));
        Hear(opening, Ok5);
        Assert.Equal(via[1], opening.Proxy);
        Assert.Equal("CONNECT 10.0.0.3:3 HTTP/1.1\r\nHost: 10.0.0.3:3\r\n\r\n", Said(opening));
        Hear(opening, "HTTP/1.1 200 OK\r\n\r\n");
        Assert.Equal("\x05\x01\x00", Said(opening));
        Hear(opening, "\x05\x00");
        Assert.Equal("\x05\x01\x00\x03\x06" + "target\x00\x04", Said(opening));
        Hear(opening, Ok5);
        Assert.True(opening.IsOpen);
        Assert.Equal(via[2], opening.Proxy);
    }

    [Fact]
    public void Any_answer_ends_in_a_tunnel_or_in_words() => Gen.Select(Gen.Byte.Array[0, 400], Gen.OneOfConst("socks5", "http"), Gen.Bool)
        .Sample(static (answer, kind, isBegun) =>
        {
            TunnelOpening opening = new([TunnelProxy.Parse($"{kind}://u:p@h:1")], Endpoint.Parse("tcp://target:9"));
            byte[] all = !isBegun ? answer : kind == "http" ? [.. "HTTP/1.1 2"u8, .. answer] : [5, 0, 5, 0, .. answer];
            int consumed = all.Length == 0 ? 0 : opening.Received(all);
            Assert.True(consumed == all.Length || opening.IsOpen || opening.Failure is not null);
        });

    [Theory]
    [InlineData("socks5://localhost:1080", "socks5://localhost:1080", null, null)]
    [InlineData("SOCKS5H://u@[::1]:1", "socks5://[::1]:1", "u", "")]
    [InlineData("http://u:p%40:q@h:1/", "http://h:1", "u", "p@:q")]
    public void A_proxy_is_read_and_printed_without_its_secrets(string text, string shown, string? user, string? password)
    {
        TunnelProxy proxy = TunnelProxy.Parse(text);
        Assert.Equal(shown, proxy.ToString());
        Assert.Equal(user, proxy.User);
        Assert.Equal(password, proxy.Password);
    }

    [Theory]
    [InlineData("localhost:1080", "socks5://host:port")]
    [InlineData("http://u%3A:secret@h:1", "no colon")]
    [InlineData("socks4://localhost:1080", "socks5://host:port")]
    [InlineData("", "socks5://host:port")]
    [InlineData("socks5://localhost", "the port is missing")]
    [InlineData("http://*:8080", "a place to listen")]
    [InlineData("http://h:0", "a place to listen")]
    [InlineData("socks5://:secret@h:1", "1 to 255 bytes")]
    [InlineData("socks5://u:se%0Acret@h:1", "no control characters")]
    [InlineData("socks5://u:secret@h:99999", "no port")]
    public void What_is_no_proxy_is_told_without_its_secrets(string text, string why)
    {
        string message = Assert.Throws<FormatException>(() => TunnelProxy.Parse(text)).Message;
        Assert.Contains(why, message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("udp://h:1")]
    [InlineData("unix:///run/x")]
    [InlineData("tcp://*:1")]
    [InlineData("tcp://h:0")]
    public void A_proxy_connects_to_servers_of_TCP_alone(string target)
    {
        TunnelProxy[] via = [TunnelProxy.Parse("socks5://h:1")];
        Assert.Throws<ArgumentException>(() => new TunnelOpening(via, Endpoint.Parse(target)));
    }

    private static void Hear(TunnelOpening opening, string answer) =>
        Assert.Equal(answer.Length, opening.Received(Encoding.Latin1.GetBytes(answer)));

    private static string Said(TunnelOpening opening)
    {
        StringBuilder said = new();
        while (!opening.Outgoing.IsEmpty)
        {
            said.Append(Encoding.Latin1.GetString(opening.Outgoing.Span));
            opening.Sent(opening.Outgoing.Length);
        }

        return said.ToString();
    }
}
