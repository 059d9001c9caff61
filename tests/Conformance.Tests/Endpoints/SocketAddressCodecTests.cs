using System.Net;
using System.Net.Sockets;
using CsCheck;

namespace Doorbell.Tests;

/// <summary>Our reading and writing of struct sockaddr against .NET's.</summary>
public sealed class SocketAddressCodecTests
{
    private static readonly Gen<IPEndPoint> _any = Gen.Select(
        Gen.OneOf(Gen.Byte.Array[4], Gen.Byte.Array[16]), Gen.Int[0, 65535], static (bytes, port) => new IPEndPoint(new IPAddress(bytes),
            port));

    [Fact]
    public void What_the_kernel_writes_is_read_as_dotnet_reads_it() => _any.Sample(static address =>
        SocketAddressCodec.Read(address.Serialize()) == PeerAddress.From(address));

    [Fact]
    public void What_we_write_dotnet_reads_as_the_same() => _any.Sample(static address =>
    {
        SocketAddress written = new(address.AddressFamily);
        SocketAddressCodec.Write(PeerAddress.From(address), address.AddressFamily, written);
        Assert.Equal(address.Address.IsIPv4MappedToIPv6 ? address : address.Create(address.Serialize()), address.Create(written));
    });

    [Fact]
    public void An_ipv4_peer_of_a_dual_stack_socket_is_written_mapped_and_read_plain()
    {
        IPEndPoint plain = new(IPAddress.Parse("192.0.2.7"), 53);
        SocketAddress written = new(AddressFamily.InterNetworkV6);
        SocketAddressCodec.Write(PeerAddress.From(plain), AddressFamily.InterNetworkV6, written);
        Assert.Equal(new IPEndPoint(plain.Address.MapToIPv6(), 53).Serialize(), written);
        Assert.Equal("192.0.2.7:53", SocketAddressCodec.Read(written).ToString());
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.255.0.9", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("128.0.0.1", false)]
    [InlineData("fe80::1", false)]
    public void Loopback_is_known(string address, bool loopback) =>
        Assert.Equal(loopback, PeerAddress.From(new IPEndPoint(IPAddress.Parse(address), 1)).IsLoopback);

    [Theory]
    [InlineData("/run/a", "/run/a")]
    [InlineData("\0name", "@name")]
    [InlineData("", "unnamed")]
    [InlineData("/a\u001b[2J", @"/a\x1b[2J")]
    public void Unix_addresses_are_shown_as_ss_shows_them(string path, string shown) =>
        Assert.Equal(shown, PeerAddress.FromUnix(path).ToString());
}
