using System.Buffers;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>What a server refuses on a resource's behalf, and datagram services as resources.</summary>
public sealed class CoapResourceTests
{
    private static readonly (int, byte[]) _acceptText = (CoapOptionNumber.Accept, []);
    private static readonly (int, byte[]) _acceptJson = (CoapOptionNumber.Accept, [50]);

    [Fact]
    public void A_method_that_it_has_not_is_4_05()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 4.05", peer.Get("text"));
        Assert.Equal("ACK 4.05", peer.Post(".well-known/core", ""));
        Assert.Equal("ACK 4.05", peer.Send(CoapType.Confirmable, new CoapCode(0x1f), "any", []));
        Assert.Equal("ACK 2.04 x", peer.Post("text", "x").Replace(" ct=0", "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_format_that_it_does_not_speak_is_4_06_and_one_that_it_does_not_take_4_15()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 2.04 ct=0 x", peer.Post("text", "x", _acceptText));
        Assert.Equal("ACK 4.06", peer.Post("text", "x", _acceptJson));
        Assert.Equal("ACK 4.06", peer.Post("any", "x", _acceptText));
        Assert.Equal("ACK 2.04 ct=0 x", peer.Post("text", "x", (CoapOptionNumber.ContentFormat, [])));
        Assert.Equal("ACK 4.15", peer.Post("text", "x", (CoapOptionNumber.ContentFormat, [50])));
        Assert.Equal("ACK 2.04 x", peer.Post("any", "x", (CoapOptionNumber.ContentFormat, [50])));
    }

    [Theory]
    [InlineData(1, "")]
    [InlineData(5, "")]
    [InlineData(9, "00")]
    [InlineData(17, "000000")]
    [InlineData(23, "00000000")]
    [InlineData(27, "00000007")]
    [InlineData(3, "")]
    [InlineData(7, "000000")]
    public void An_option_that_must_be_understood_and_is_not_is_4_02(int number, string value)
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal("ACK 4.02", peer.Post("any", "x", (number, Convert.FromHexString(value))));
        Assert.StartsWith($"Option {number}", peer.Text(), StringComparison.Ordinal);
        Assert.Equal("", peer.Send(CoapType.NonConfirmable, CoapCode.Post, "any", [], (number, Convert.FromHexString(value))));
        Assert.Equal(0, server.Exchanges);
    }

    /// <summary>RFC 7959 section 2.2: size exponent 7 must lead to 4.00.</summary>
    [Theory]
    [InlineData(23, "07")]
    [InlineData(23, "0f")]
    [InlineData(27, "07")]
    [InlineData(27, "0f")]
    [InlineData(27, "1234f7")]
    public void A_block_of_the_reserved_size_is_a_bad_request(int number, string value)
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        (int, byte[]) block = (number, Convert.FromHexString(value));
        Assert.Equal("ACK 4.00", peer.Post("any", "x", block));
        Assert.Contains("size exponent 7", peer.Text(), StringComparison.Ordinal);
        Assert.Equal("NON 4.00", peer.Send(CoapType.NonConfirmable, CoapCode.Post, "any", [], block));
        Assert.Equal("ACK 4.02", peer.Post("any", "x", block, (CoapOptionNumber.UriPort, [1, 2, 3])));
        Assert.Equal("", peer.Send(CoapType.NonConfirmable, CoapCode.Post, "any", [], block, (1, [])));
    }

    /// <summary>RFC 7252 sections 5.4.1 and 5.5.2: whatever is refused says why, if that is not too much for a stranger.</summary>
    [Fact]
    public void A_refusal_says_what_is_wrong()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        string Said(string refusal, string answer)
        {
            Assert.Equal(refusal, answer);
            Assert.True(peer.Text().EndsWith('.') && peer.Text().All(static letter => letter is >= ' ' and < (char)127), peer.Text());
            return peer.Text();
        }

        Assert.Contains("Option 9 (OSCORE)", Said("ACK 4.02", peer.Post("any", "x", (9, [0]))), StringComparison.Ordinal);
        Assert.Contains("Option 2049 ", Said("ACK 4.02", peer.Post("any", "x", (2049, [0]))), StringComparison.Ordinal);
        Assert.Contains("/.well-known/core", Said("ACK 4.04", peer.Post("none", "x")), StringComparison.Ordinal);
        Assert.Contains("method", Said("ACK 4.05", peer.Get("text")), StringComparison.Ordinal);
        Assert.Contains("Content-Format 0 ", Said("ACK 4.06", peer.Post("text", "x", _acceptJson)), StringComparison.Ordinal);
        (int, byte[]) json = (CoapOptionNumber.ContentFormat, [50]);
        Assert.Contains("Content-Format 0 ", Said("ACK 4.15", peer.Post("text", "x", json)), StringComparison.Ordinal);
        Assert.Contains("length", Said("ACK 4.00", peer.Post("any", "short", CoapPeer.Block1(0, true, 2))), StringComparison.Ordinal);
        Assert.Contains("missing", Said("ACK 4.08", peer.PostBlock("any", new string('x', 100), 1, 1)), StringComparison.Ordinal);
        Assert.Contains("proxy", Said("ACK 5.05", peer.Post("any", "x", (CoapOptionNumber.ProxyScheme, [65]))), StringComparison.Ordinal);

        CoapPeer stranger = new(server, CoapPeer.Stranger);
        Assert.Equal("ACK 4.04", stranger.Post("none", "x"));
        Assert.Equal("", stranger.Text());
        Assert.Equal("ACK 4.04", stranger.Post("none", new string('x', 60)));
        Assert.NotEqual("", stranger.Text());
    }

    [Fact]
    public void A_diagnostic_that_does_not_fit_the_datagram_is_left_out()
    {
        CoapServer server = new(CoapServerLimits.Default with { MaxMessageBytes = 80 }, TestSocket.Of(1));
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal("ACK 4.02", peer.Post("any", "x", (2049, [0])));
        Assert.InRange(peer.Got.Length, 7, 80);
    }

    /// <summary>RFC 6690 section 2: a target is a URI reference, so it has no character that a URI can't have.</summary>
    [Theory]
    [InlineData("a b", "</a%20b>")]
    [InlineData("caf\u00e9/<x>", "</caf%C3%A9/%3Cx%3E>")]
    [InlineData("100%,\"?#", "</100%25,%22%3F%23>")]
    [InlineData("/plain", "</plain>")]
    [InlineData("//odd", "</.//odd>")]
    [InlineData("", "</>")]
    [InlineData("x/", "</x/>")]
    public void The_list_has_URI_references(string path, string link)
    {
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        server.Add(path, static (_, _) => CoapCode.Content);
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal($"ACK 2.05 ct=40 {link}", peer.Get(".well-known/core"));
        string target = link[1..^1].Replace("/./", "/", StringComparison.Ordinal);
        Assert.Equal(CoapPath.From(path), CoapUri.Parse("coap://h" + target).Path);
    }

    [Fact]
    public void An_option_once_too_often_is_as_one_unknown()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 4.02", peer.Post("text", "x", _acceptText, _acceptText));
        Assert.Equal("ACK 2.04 ct=0 x", peer.Post("text", "x", (CoapOptionNumber.UriQuery, [65]), (CoapOptionNumber.UriQuery, [66])));
    }

    [Fact]
    public void It_is_no_proxy()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 5.05", peer.Post("any", "x", (CoapOptionNumber.ProxyUri, "coap://elsewhere"u8.ToArray())));
        Assert.Equal("ACK 5.05", peer.Post("any", "x", (CoapOptionNumber.ProxyScheme, "http"u8.ToArray())));
    }

    [Fact]
    public void A_slash_within_a_segment_is_none_between_two()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal("ACK 2.04 x", peer.Post("lamps/1", "x"));
        byte[] question = [0x40, 0x02, 0x00, 0x09, 0xb7, .. "lamps/1"u8];
        Assert.Equal("ACK 4.04", CoapPeer.Show(server.Received(question, CoapPeer.Near, default)));
        Assert.Equal("ACK 4.04", peer.Post(string.Join('/', Enumerable.Repeat("long", 100)), "x"));
    }

    [Fact]
    public void The_resources_are_listed_with_their_formats()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 2.05 ct=40 </any>,</lamps/1>,</text>;ct=0", peer.Get(".well-known/core"));
    }

    [Fact]
    public void What_has_no_effect_is_not_remembered_and_what_may_have_one_is()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        peer.Post("text", "x");
        peer.Post("none", "x");
        Assert.Equal(0, server.Exchanges);
        peer.Post("any", "x");
        Assert.Equal(1, server.Exchanges);
    }

    [Fact]
    public void A_datagram_service_is_a_resource()
    {
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        Service[] services = [ClassicServices.Capitalize, ClassicServices.Echo, ClassicServices.Discard, ClassicServices.Daytime];
        foreach (Service service in services)
        {
            server.Add(service.Name, CoapResource.From(service));
        }

        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal("ACK 2.04 ct=0 STRASSE", peer.Post("capitalize", "straße"));
        Assert.Equal("ACK 2.04 hello", peer.Post("echo", "hello"));
        Assert.Equal("ACK 2.04", peer.Post("discard", "hello"));
        peer.Now = TimeSpan.FromSeconds(7);
        Assert.Equal("ACK 2.05 ct=0 Thursday, January 1, 1970 00:00:07-UTC", peer.Get("daytime"));
        Assert.Throws<ArgumentException>(static () => CoapResource.From(new Service("streams")));
    }

    [Fact]
    public void A_datagram_services_fault_is_the_resources()
    {
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        server.Add("fails", CoapResource.From(Service.Lines("fails", static (_, _) => throw new InvalidOperationException())));
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Throws<InvalidOperationException>(() => peer.Post("fails", ""));
        Assert.Equal("ACK 5.00", peer.SendAgain());
    }

    [Theory]
    [InlineData(-1, 1152)]
    [InlineData(1, 79)]
    [InlineData(1, 65_508)]
    public void Bounds_that_make_no_sense_are_refused(int exchanges, int message) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CoapServer(
            CoapServerLimits.Default with { MaxExchanges = exchanges, MaxMessageBytes = message }, TestSocket.Of(1)));

    [Fact]
    public void Times_that_make_no_sense_are_refused()
    {
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        CoapResource resource = new(static (_, _) => CoapCode.Content);
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Add("x", resource with { ChangesEvery = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Add("x", resource with { MaxAge = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Add("x", resource with { ConfirmEvery = 0 }));
        Assert.Throws<ArgumentException>(() => server.Add("x", resource with { Changes = new CoapChanges(), IsSlow = true }));
    }

    private static CoapServer NewServer()
    {
        static CoapCode Answer(CoapRequest request, IBufferWriter<byte> body)
        {
            body.Write(request.Payload);
            return CoapCode.Changed;
        }

        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        server.Add("text", new CoapResource(Answer) { Methods = [CoapCode.Post], ContentFormat = 0, TakesFormat = 0, HasEffect = false });
        server.Add("any", Answer);
        server.Add("lamps/1", Answer);
        return server;
    }
}
