using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>What <c>/.well-known/core</c> tells of resources, and which of them a query asks for (RFC 6690).</summary>
public sealed class CoapLinkTests
{
    private const string Light = "</sensors/light>;rt=\"light-lux core#s\";if=\"sensor\";ct=0";
    private const string Firmware = "</firmware/v2.1>;rt=\"firmware\";sz=262144";
    private const string Foo = "</foo/bar>;foo=\"barley\";title=\"a \\\"b\\\\\"";
    private const string Index = "</sensors>;title=\"Sensor Index\";ct=40";

    /// <summary>The examples of RFC 6690 section 4.1 and section 5, and what they leave open.</summary>
    [Theory]
    [InlineData("href=/foo/bar", Foo)]
    [InlineData("href=/foo")]
    [InlineData("href=/foo*", Foo)]
    [InlineData("href=/sensors*", Index, Light)]
    [InlineData("href=*", Firmware, Foo, Index, Light)]
    [InlineData("foo=bar")]
    [InlineData("foo=barley", Foo)]
    [InlineData("foo=bar*", Foo)]
    [InlineData("foo=*", Foo)]
    [InlineData("foo", Foo)]
    [InlineData("FOO=*")]
    [InlineData("rt=light-lux", Light)]
    [InlineData("rt=core#s", Light)]
    [InlineData("rt=core*", Light)]
    [InlineData("rt=light-lux core#s", Light)]
    [InlineData("rt=lux")]
    [InlineData("rt=light-luxury")]
    [InlineData("rt=*light")]
    [InlineData("if=sensor", Light)]
    [InlineData("if=s*", Light)]
    [InlineData("sz=262144", Firmware)]
    [InlineData("sz=2*", Firmware)]
    [InlineData("ct=40", Index)]
    [InlineData("ct=4*", Index)]
    [InlineData("ct=4")]
    [InlineData("title=Sensor Index", Index)]
    [InlineData("title=Sensor")]
    [InlineData("title=*", Foo, Index)]
    [InlineData("title=a \"b\\", Foo)]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("*")]
    [InlineData("rt=*&href=/sensors*", Light)]
    [InlineData("rt=light-lux&rt=core#s", Light)]
    [InlineData("rt=light-lux&rt=firmware")]
    public void A_query_lists_what_it_matches(string query, params string[] links)
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        string answer = peer.Get(".well-known/core", [.. query.Split('&').Select(Argument)]);
        Assert.Equal(links.Length == 0 ? "ACK 2.05" : $"ACK 2.05 ct=40 {string.Join(',', links)}", answer);
    }

    [Fact]
    public void All_is_listed_without_a_query() =>
        Assert.Equal(
            $"ACK 2.05 ct=40 {Firmware},{Foo},{Index},{Light}", new CoapPeer(NewServer(), CoapPeer.Near).Get(".well-known/core"));

    [Theory]
    [InlineData("", "x")]
    [InlineData("a b", "x")]
    [InlineData("a\"", "x")]
    [InlineData("a=", "x")]
    [InlineData("ct", "41")]
    [InlineData("obs", "")]
    [InlineData("href", "/x")]
    [InlineData("rt", "a\nb")]
    public void An_attribute_that_can_t_be_written_is_refused(string name, string value)
    {
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        CoapResource resource = new(static (_, _) => CoapCode.Content) { Attributes = new Dictionary<string, string> { [name] = value } };
        Assert.Contains("RFC 6690", Assert.Throws<ArgumentException>(() => server.Add("x", resource)).Message, StringComparison.Ordinal);
    }

    private static (int Number, byte[] Value) Argument(string text) => (CoapOptionNumber.UriQuery, Encoding.UTF8.GetBytes(text));

    private static CoapServer NewServer()
    {
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        void Add(string path, int? format, params (string Name, string Value)[] attributes) => server.Add(
            path,
            new CoapResource(static (_, _) => CoapCode.Content)
            {
                ContentFormat = format, Attributes = attributes.ToDictionary(static each => each.Name, static each => each.Value),
            });
        Add("sensors", 40, ("title", "Sensor Index"));
        Add("sensors/light", 0, ("rt", "light-lux core#s"), ("if", "sensor"));
        Add("firmware/v2.1", null, ("rt", "firmware"), ("sz", "262144"));
        Add("foo/bar", null, ("foo", "barley"), ("title", "a \"b\\"));
        return server;
    }
}
