using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Doorbell.Sessions;

/// <summary>Writes a <see cref="ProxyHeader"/> as it goes over the wire.</summary>
internal static class ProxyHeaderWriter
{
    public static void Write(ProxyHeader header, IBufferWriter<byte> wire)
    {
        if (header.Version == 1)
        {
            WriteLine(header, wire);
        }
        else
        {
            WriteBinary(header, wire);
        }
    }

    private static void WriteLine(ProxyHeader header, IBufferWriter<byte> wire)
    {
        if (!header.TlvBytes.IsEmpty)
        {
            throw new InvalidOperationException("A PROXY header of version 1 has no fields: take version 2.");
        }

        (PeerAddress from, PeerAddress to) = (header.Source, header.Destination);
        string line = FamilyOf(from, to) switch
        {
            ProxyWire.FamilyIPv4 => $"TCP4 {from.ToIPEndPoint().Address} {to.ToIPEndPoint().Address} {from.Port} {to.Port}",
            ProxyWire.FamilyIPv6 => $"TCP6 {IPv6Text(from)} {IPv6Text(to)} {from.Port} {to.Port}",
            _ => "UNKNOWN",
        };
        wire.Write(ProxyWire.LineStart);
        wire.Write(Encoding.ASCII.GetBytes(line));
        wire.Write("\r\n"u8);
    }

    private static void WriteBinary(ProxyHeader header, IBufferWriter<byte> wire)
    {
        int family = FamilyOf(header.Source, header.Destination);
        int addresses = family switch
        {
            ProxyWire.FamilyIPv4 => ProxyWire.IPv4Bytes,
            ProxyWire.FamilyIPv6 => ProxyWire.IPv6Bytes,
            ProxyWire.FamilyUnix => 2 * ProxyWire.UnixPathBytes,
            _ => 0,
        };
        int length = addresses + header.TlvBytes.Length;
        if (length > ushort.MaxValue || (family == ProxyWire.FamilyUnspecified && !header.TlvBytes.IsEmpty))
        {
            throw new InvalidOperationException(family == ProxyWire.FamilyUnspecified
                ? "A PROXY header without addresses has no fields."
                : $"The fields of a PROXY header and its addresses are {length} bytes, and may be 65,535.");
        }

        Span<byte> bytes = wire.GetSpan(ProxyWire.FixedBytes + length)[..(ProxyWire.FixedBytes + length)];
        bytes.Clear();
        ProxyWire.Signature.CopyTo(bytes);
        int protocol = header.IsDatagram ? ProxyWire.ProtocolDatagram : ProxyWire.ProtocolStream;
        bytes[12] = family == ProxyWire.FamilyUnspecified ? (byte)ProxyWire.VersionAndLocal : (byte)ProxyWire.VersionAndProxy;
        bytes[13] = family == ProxyWire.FamilyUnspecified ? (byte)0 : (byte)((family << 4) | protocol);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[14..], (ushort)length);
        WriteAddresses(header, family, bytes[ProxyWire.FixedBytes..]);
        header.TlvBytes.Span.CopyTo(bytes[(ProxyWire.FixedBytes + addresses)..]);
        wire.Advance(bytes.Length);
    }

    private static void WriteAddresses(ProxyHeader header, int family, Span<byte> to)
    {
        switch (family)
        {
            case ProxyWire.FamilyIPv4:
                BinaryPrimitives.WriteUInt32BigEndian(to, (uint)header.Source.Bits);
                BinaryPrimitives.WriteUInt32BigEndian(to[4..], (uint)header.Destination.Bits);
                BinaryPrimitives.WriteUInt16BigEndian(to[8..], header.Source.Port);
                BinaryPrimitives.WriteUInt16BigEndian(to[10..], header.Destination.Port);
                break;
            case ProxyWire.FamilyIPv6:
                BinaryPrimitives.WriteUInt128BigEndian(to, IPv6Bits(header.Source));
                BinaryPrimitives.WriteUInt128BigEndian(to[16..], IPv6Bits(header.Destination));
                BinaryPrimitives.WriteUInt16BigEndian(to[32..], header.Source.Port);
                BinaryPrimitives.WriteUInt16BigEndian(to[34..], header.Destination.Port);
                break;
            case ProxyWire.FamilyUnix:
                WritePath(header.Source.Path!, to[..ProxyWire.UnixPathBytes]);
                WritePath(header.Destination.Path!, to[ProxyWire.UnixPathBytes..(2 * ProxyWire.UnixPathBytes)]);
                break;
        }
    }

    private static void WritePath(string path, Span<byte> to)
    {
        byte[] bytes = SystemText.ToBytes(path);
        if (!bytes.AsSpan().TryCopyTo(to))
        {
            throw new InvalidOperationException($"The unix path {PrintableText.Escape(path)} has more than {to.Length} bytes.");
        }
    }

    /// <summary>Of an IPv4 and an IPv6 address, IPv6, in which the other is mapped.</summary>
    private static int FamilyOf(PeerAddress from, PeerAddress to) => (from.Kind, to.Kind) switch
    {
        (AddressKind.IPv4, AddressKind.IPv4) => ProxyWire.FamilyIPv4,
        (AddressKind.IPv4 or AddressKind.IPv6, AddressKind.IPv4 or AddressKind.IPv6) => ProxyWire.FamilyIPv6,
        (AddressKind.Unix, AddressKind.Unix) => ProxyWire.FamilyUnix,
        _ => ProxyWire.FamilyUnspecified,
    };

    private static UInt128 IPv6Bits(PeerAddress address) =>
        address.Kind == AddressKind.IPv4 ? address.Bits | ((UInt128)0xffff << 32) : address.Bits;

    private static string IPv6Text(PeerAddress address) => address.Kind == AddressKind.IPv4
        ? address.ToIPEndPoint().Address.MapToIPv6().ToString()
        : new System.Net.IPAddress(BytesOf(address.Bits)).ToString();

    private static byte[] BytesOf(UInt128 bits)
    {
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, bits);
        return bytes;
    }
}
