using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using CsCheck;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>The PROXY header of both versions, read and written.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly Gen<PeerAddress> _ipv4 = Gen.Select(Gen.UInt, Gen.UShort, PeerAddress.IPv4);

    private static readonly Gen<PeerAddress> _ipv6 = Gen.Select(
        Gen.ULong, Gen.ULong, Gen.UShort, static (high, low, port) => PeerAddress.IPv6(new UInt128(high | 1, low), port, 0));

    private static readonly Gen<PeerAddress> _unix = Gen.String[Gen.Char['a', 'z'], 0, 107].Select(Gen.Bool, static (path, isAbstract) =>
        PeerAddress.FromUnix(isAbstract && path.Length > 0 ? "\0" + path : path));

    private static readonly Gen<byte[]> _tlvs = Gen.Select(Gen.Byte[4, 255], Gen.Byte.Array[0, 30], static (type, value) =>
        (byte[])[type, 0, (byte)value.Length, .. value]).Array[0, 4].Select(static all => all.SelectMany(static tlv => tlv).ToArray());

    [Fact]
    public void A_header_of_version_1_is_read_as_it_was_written() =>
        Gen.OneOf(Gen.Select(_ipv4, _ipv4), Gen.Select(_ipv6, _ipv6), Gen.Select(_ipv4, _ipv6)).Sample(static ends =>
            AssertRoundTrip(new ProxyHeader { Version = 1, Source = ends.Item1, Destination = ends.Item2 }));

    [Fact]
    public void A_header_of_version_2_is_read_as_it_was_written() => Gen.Select(
        Gen.OneOf(Gen.Select(_ipv4, _ipv4), Gen.Select(_ipv6, _ipv6), Gen.Select(_ipv6, _ipv4), Gen.Select(_unix, _unix)), _tlvs, Gen.Bool)
        .Sample(static (ends, tlvs, isDatagram) => AssertRoundTrip(new ProxyHeader
        {
            Version = 2, Source = ends.Item1, Destination = ends.Item2, TlvBytes = tlvs, IsDatagram = isDatagram,
        }));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_header_that_names_nobody_is_local(int version)
    {
        ProxyHeader header = Read(Written(new ProxyHeader { Version = version }));
        Assert.True(header.IsLocal);
        Assert.Equal(version, header.Version);
    }

    [Fact]
    public void What_is_unknown_or_local_is_skipped_to_its_length()
    {
        Assert.True(Read("PROXY UNKNOWN ffff::1 whatever 1 2\r\n"u8.ToArray()).IsLocal);
        Assert.True(Read(Binary(0x20, 0xff, [1, 2, 3])).IsLocal);
        Assert.True(Read(Binary(0x21, 0x00, [1, 2, 3])).IsLocal);
        Assert.True(Read(Binary(0x21, 0x10, new byte[12])).IsLocal);
    }

    [Fact]
    public void Fields_are_kept_and_read_one_by_one()
    {
        ProxyHeader header = Read(Binary(0x21, 0x11, [.. new byte[12], 2, 0, 3, .. "abc"u8, 4, 0, 0, 0xea, 0, 1, 9]));
        Assert.Equal(
            [(2, "abc"), (4, ""), (0xea, "\t")],
            header.Tlvs.Select(static tlv => ((int)tlv.Type, Encoding.ASCII.GetString(tlv.Value.Span))));
    }

    [Fact]
    public void A_checksum_is_verified_if_there_is_one()
    {
        byte[] bytes = Binary(0x21, 0x11, [192, 0, 2, 1, 198, 51, 100, 7, 1, 2, 3, 4, 4, 0, 1, 7, 3, 0, 4, 0, 0, 0, 0]);
        Assert.Contains("checksum", Failure(bytes), StringComparison.Ordinal);
        uint sum = uint.MaxValue;
        foreach (byte next in bytes)
        {
            sum = BitOperations.Crc32C(sum, next);
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(bytes.Length - 4), ~sum);
        Assert.Equal("192.0.2.1:258", Read(bytes).Source.ToString());
        bytes[^8] ^= 1;
        Assert.Contains("checksum", Failure(bytes), StringComparison.Ordinal);
        Assert.Contains("checksum", Failure(Binary(0x21, 0x11, [.. new byte[12], 3, 0, 2, 0, 0])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PROXX")]
    [InlineData("proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY UNKNOWNS\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n")]
    [InlineData("PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\0\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1\0\0 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP4 16909060 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP4 ::1 ::2 1 2\r\n")]
    [InlineData("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP6 [::1] ::2 1 2\r\n")]
    [InlineData("PROXY TCP6 fe80::1%1 ::2 1 2\r\n")]
    [InlineData("PROXY TCP6 ::1::2 ::2 1 2\r\n")]
    [InlineData("PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")]
    public void A_line_that_is_no_header_is_refused(string line) => Assert.NotEmpty(Failure(Encoding.ASCII.GetBytes(line)));

    [Fact]
    public void The_longest_line_has_107_bytes()
    {
        byte[] longest = Encoding.ASCII.GetBytes("PROXY UNKNOWN " + new string('x', 91) + "\r\n");
        Assert.Equal(107, longest.Length);
        Assert.True(Read(longest).IsLocal);
    }

    public static TheoryData<string, byte[]> WrongBlocks => new()
    {
        { "version 3", Binary(0x31, 0x11, new byte[12]) },
        { "command 2", Binary(0x22, 0x11, new byte[12]) },
        { "family 4", Binary(0x21, 0x41, new byte[12]) },
        { "protocol 3", Binary(0x21, 0x13, new byte[12]) },
        { "IPv4 of 11 bytes", Binary(0x21, 0x11, new byte[11]) },
        { "IPv6 of 35 bytes", Binary(0x21, 0x21, new byte[35]) },
        { "unix of 215 bytes", Binary(0x21, 0x31, new byte[215]) },
        { "half a field", Binary(0x21, 0x11, [.. new byte[12], 1]) },
        { "a field without its value", Binary(0x21, 0x11, [.. new byte[12], 1, 0, 5, 1, 2]) },
        { "1,025 bytes", Binary(0x21, 0x11, [.. new byte[12], 4, 3, 0xe2, .. new byte[994]]) },
        { "another signature", [.. "\r\n\r\n\0\r\nQUIT\r"u8, 0x21, 0x11, 0, 12, .. new byte[12]] },
    };

    [Theory]
    [MemberData(nameof(WrongBlocks))]
    public void A_block_that_is_no_header_is_refused(string what, byte[] block)
    {
        Assert.NotEmpty(what);
        Assert.NotEmpty(Failure(block));
    }

    [Fact]
    public void What_cannot_be_written_is_said()
    {
        PeerAddress unix = PeerAddress.FromUnix(new string('x', 109));
        Assert.Throws<InvalidOperationException>(() => Written(new ProxyHeader { Version = 1, TlvBytes = new byte[3] }));
        Assert.Throws<InvalidOperationException>(() => Written(new ProxyHeader { Version = 2, TlvBytes = new byte[3] }));
        Assert.Throws<InvalidOperationException>(() => Written(new ProxyHeader { Version = 2, Source = unix, Destination = unix }));
        Assert.Throws<ArgumentOutOfRangeException>(() => ProxyProtocol.Send(3));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_unix_client_without_a_path_is_not_named(int version)
    {
        PeerAddress door = PeerAddress.FromUnix("/run/front");
        Assert.Equal(new ProxyHeader { Version = version }, ProxyHeader.Of(version, PeerAddress.FromUnix(""), door));
        Assert.Equal(
            new ProxyHeader { Version = version, Source = door, Destination = door }, ProxyHeader.Of(version, door, door));
    }

    private static byte[] Binary(byte command, byte family, byte[] block) =>
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, command, family, (byte)(block.Length >> 8), (byte)block.Length, .. block];

    private static void AssertRoundTrip(ProxyHeader header)
    {
        byte[] bytes = Written(header);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            Assert.Equal(0, ProxyHeaderReader.Read(bytes.AsSpan(0, cut), 1024, out _, out string? failure));
            Assert.Null(failure);
        }

        ProxyHeader read = Read([.. bytes, 1, 2, 3], bytes.Length);
        Assert.Equal(header.TlvBytes.ToArray(), read.TlvBytes.ToArray());
        Assert.Equal(header with { TlvBytes = default }, read with { TlvBytes = default });
    }

    private static byte[] Written(ProxyHeader header)
    {
        ArrayBufferWriter<byte> wire = new();
        header.Write(wire);
        return wire.WrittenSpan.ToArray();
    }

    private static ProxyHeader Read(byte[] bytes, int? length = null)
    {
        Assert.Equal(length ?? bytes.Length, ProxyHeaderReader.Read(bytes, 1024, out ProxyHeader? header, out string? failure));
        Assert.Null(failure);
        return header!;
    }

    private static string Failure(byte[] bytes)
    {
        Assert.Equal(0, ProxyHeaderReader.Read(bytes, 1024, out ProxyHeader? header, out string? failure));
        Assert.Null(header);
        return failure ?? "";
    }
}
