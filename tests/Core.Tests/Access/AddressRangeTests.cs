namespace Doorbell.Tests;

/// <summary>Ranges of addresses, as CIDR writes them.</summary>
public sealed class AddressRangeTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("::1/128", "::1", true)]
    [InlineData("::1/128", "::2", false)]
    [InlineData("2001:db8::/33", "2001:db8:7fff::1", true)]
    [InlineData("2001:db8::/33", "2001:db8:8000::1", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("192.0.2.0/24", "::ffff:192.0.2.9", true)]
    [InlineData("unix", "127.0.0.1", false)]
    public void A_range_contains_what_its_prefix_says(string range, string address, bool contains) =>
        Assert.Equal(contains, AddressRange.Parse(range).Contains(Peer(address)));

    [Fact]
    public void A_unix_peer_is_in_unix_alone_and_nobody_is_in_none()
    {
        Assert.True(AddressRange.Parse("unix").Contains(PeerAddress.FromUnix("/run/proxy")));
        Assert.False(AddressRange.Parse("0.0.0.0/0").Contains(PeerAddress.FromUnix(null)));
        Assert.False(default(AddressRange).Contains(default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("10.0.0/8")]
    [InlineData("010.0.0.0/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.1/8")]
    [InlineData("::1/129")]
    [InlineData("fe80::1%1/64")]
    [InlineData("localhost")]
    public void What_is_no_range_is_refused_with_a_reason(string text) =>
        Assert.Contains($"\"{text}\"", Assert.Throws<FormatException>(() => AddressRange.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("2001:db8::/33")]
    [InlineData("unix")]
    public void A_range_is_written_as_it_is_read(string text) => Assert.Equal(text, AddressRange.Parse(text).ToString());

    private static PeerAddress Peer(string address) => PeerAddress.From(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(address), 7));
}
