using System.Net;
using System.Net.Sockets;
using CsCheck;
using Doorbell.Native;

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

    [Fact]
    public void Writing_leaves_nothing_of_the_address_before() => Gen.Select(_any, _any).Sample(static (before, after) =>
    {
        SocketAddress reused = new(AddressFamily.InterNetworkV6);
        SocketAddressCodec.Write(PeerAddress.From(before), AddressFamily.InterNetworkV6, reused);
        SocketAddressCodec.Write(PeerAddress.From(after), AddressFamily.InterNetworkV6, reused);
        Assert.Equal(new IPEndPoint(after.Address.MapToIPv6(), after.Port).Serialize(), reused);
        Assert.Equal(PeerAddress.From(after), SocketAddressCodec.Read(reused));
    });

    [Fact]
    public void An_ipv4_address_is_written_over_a_dirty_one_as_dotnet_writes_it()
    {
        IPEndPoint plain = new(IPAddress.Parse("192.0.2.7"), 53);
        SocketAddress reused = new(AddressFamily.InterNetwork);
        reused.Buffer.Span[2..].Fill(0xff);
        SocketAddressCodec.Write(PeerAddress.From(plain), AddressFamily.InterNetwork, reused);
        Assert.Equal(plain.Serialize(), reused);
    }

    [Fact]
    public void The_interface_of_a_link_local_address_is_kept()
    {
        IPEndPoint local = new(IPAddress.Parse("fe80::1%7"), 53);
        PeerAddress peer = SocketAddressCodec.Read(local.Serialize());
        Assert.Equal(7u, peer.ScopeId);
        Assert.Equal(local, peer.ToIPEndPoint());
        Assert.Equal("[fe80::1%7]:53", peer.ToString());
    }

    [Fact]
    public void An_ipv6_peer_has_no_address_on_an_ipv4_socket() => Assert.Throws<ArgumentException>(static () => SocketAddressCodec.Write(
        PeerAddress.From(new IPEndPoint(IPAddress.IPv6Loopback, 1)), AddressFamily.InterNetwork, new(AddressFamily.InterNetwork)));

    [Theory]
    [InlineData("/run/door")]
    [InlineData("relative")]
    [InlineData("\0abstract")]
    public void A_unix_name_is_read_as_it_was_bound(string path) => Assert.Equal(
        PeerAddress.FromUnix(path), SocketAddressCodec.Read(new UnixDomainSocketEndPoint(path).Serialize()));

    [Fact]
    public void A_unix_peer_without_a_name_is_unnamed() =>
        Assert.Equal("unnamed", SocketAddressCodec.Read(new SocketAddress(AddressFamily.Unix, 2)).ToString());

    [Theory]
    [InlineData("127.0.0.1", AddressFamily.InterNetwork)]
    [InlineData("127.0.0.1", AddressFamily.InterNetworkV6)]
    [InlineData("2001:db8::1", AddressFamily.InterNetworkV6)]
    public void Reading_writing_and_comparing_allocate_nothing(string address, AddressFamily family)
    {
        PeerAddress peer = PeerAddress.From(new IPEndPoint(IPAddress.Parse(address), 53));
        SocketAddress reused = new(family);
        EqualityComparer<PeerAddress> comparer = EqualityComparer<PeerAddress>.Default;
        bool RoundTrip()
        {
            SocketAddressCodec.Write(peer, family, reused);
            PeerAddress read = SocketAddressCodec.Read(reused);
            return comparer.Equals(read, peer) && comparer.GetHashCode(read) == comparer.GetHashCode(peer);
        }

        bool same = true;
        long least = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            // The runtime allocates on this thread too while it compiles a method anew: the round without that counts.
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1_000; i++)
            {
                same &= RoundTrip();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.True(same);
        Assert.Equal(0, least);
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
