using System.Net;

namespace Doorbell.Tests;

public sealed class TargetRangeTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.1.2.3:1", true)]
    [InlineData("10.0.0.0/8", "11.1.2.3:1", false)]
    [InlineData("10.0.0.0/8:443", "10.1.2.3:443", true)]
    [InlineData("10.0.0.0/8:443", "10.1.2.3:444", false)]
    [InlineData("10.0.0.7:80-90", "10.0.0.7:90", true)]
    [InlineData("10.0.0.7:80-90", "10.0.0.7:91", false)]
    [InlineData("[2001:db8::/32]:80-90", "[2001:db8::1]:80", true)]
    [InlineData("[2001:db8::/32]:80-90", "[2001:db8::1]:79", false)]
    [InlineData("2001:db8::/32", "[2001:db8::1]:79", true)]
    [InlineData("::1", "[::1]:7", true)]
    [InlineData("0.0.0.0/0", "[2001:db8::1]:79", false)]
    [InlineData("127.0.0.0/8", "[::ffff:127.0.0.1]:79", true)]
    [InlineData("public", "9.9.9.9:53", true)]
    [InlineData("public:443", "9.9.9.9:53", false)]
    [InlineData("public", "[2620:fe::fe]:53", true)]
    public void An_address_and_its_port_are_both_looked_at(string range, string target, bool contains)
    {
        TargetRange read = TargetRange.Parse(range);
        Assert.Equal(contains, read.Contains(PeerAddress.From(IPEndPoint.Parse(target))));
        Assert.Equal(read, TargetRange.Parse(read.ToString()));
    }

    /// <summary>Each would let a client of a proxy reach what is near the proxy alone.</summary>
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("192.0.0.192")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("fe80::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("ff02::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    public void What_is_local_is_not_public(string address) =>
        Assert.False(TargetRange.Parse("public").Contains(PeerAddress.From(new IPEndPoint(IPAddress.Parse(address), 80))));

    [Theory]
    [InlineData("")]
    [InlineData("unix")]
    [InlineData("example.org")]
    [InlineData("10.0.0.0/8:")]
    [InlineData("10.0.0.0/8:0")]
    [InlineData("10.0.0.0/8:65536")]
    [InlineData("10.0.0.0/8:90-80")]
    [InlineData("10.0.0.0/8:80-")]
    [InlineData("10.0.0.0/8:-80")]
    [InlineData("10.0.0.0/8:http")]
    [InlineData("[10.0.0.0/8")]
    [InlineData("[]:80")]
    [InlineData(":80")]
    [InlineData("publics")]
    [InlineData("10.0.0.1/8")]
    public void What_is_no_range_is_refused_in_one_line(string text)
    {
        FormatException refused = Assert.Throws<FormatException>(() => TargetRange.Parse(text));
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void The_default_value_contains_nothing() =>
        Assert.False(default(TargetRange).Contains(PeerAddress.IPv4(0x09090909, 80)));
}
