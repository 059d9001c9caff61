using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Text;

namespace Doorbell.Sessions;

/// <summary>
/// Reads a <see cref="ProxyHeader"/>, strictly: whoever speaks for another is believed to the letter or not at all. What can't become a
/// header is refused at the first byte that shows it.
/// </summary>
internal static class ProxyHeaderReader
{
    /// <summary>Reads from the front of what came.</summary>
    /// <param name="came">All that came.</param>
    /// <param name="maxBytes">Most bytes that a header may have.</param>
    /// <param name="header">The header, once it is whole.</param>
    /// <param name="failure">Why it is none.</param>
    /// <returns>How many bytes the header is; 0 while it is not whole, or is none.</returns>
    public static int Read(ReadOnlySpan<byte> came, int maxBytes, out ProxyHeader? header, out string? failure)
    {
        header = null;
        failure = null;
        if (StartsAs(came, ProxyWire.Signature))
        {
            return came.Length < ProxyWire.FixedBytes ? 0 : ReadBinary(came, maxBytes, out header, out failure);
        }

        if (StartsAs(came, ProxyWire.LineStart))
        {
            return ReadLine(came, Math.Min(maxBytes, ProxyWire.MaxLineBytes), out header, out failure);
        }

        failure = "it begins as neither version does";
        return 0;
    }

    /// <summary>Whether what came is the start, or the start begins with it.</summary>
    private static bool StartsAs(ReadOnlySpan<byte> came, ReadOnlySpan<byte> start) =>
        came.Length < start.Length ? start.StartsWith(came) : came.StartsWith(start);

    private static int ReadLine(ReadOnlySpan<byte> came, int maxBytes, out ProxyHeader? header, out string? failure)
    {
        header = null;
        failure = null;
        ReadOnlySpan<byte> line = came[..Math.Min(came.Length, maxBytes)];
        int end = line.IndexOf((byte)'\n');
        if (end < 0)
        {
            failure = came.Length >= maxBytes ? $"its line has no end within {maxBytes} bytes" : null;
            return 0;
        }

        if (line[end - 1] != '\r')
        {
            failure = "its line ends without a carriage return";
            return 0;
        }

        ReadOnlySpan<byte> said = line[ProxyWire.LineStart.Length..(end - 1)];
        if (said.SequenceEqual("UNKNOWN"u8) || said.StartsWith("UNKNOWN "u8))
        {
            header = new ProxyHeader { Version = 1 };
            return end + 1;
        }

        header = ReadAddresses(said);
        failure = header is null ? "its line does not name two addresses and two ports" : null;
        return header is null ? 0 : end + 1;
    }

    /// <summary>As in <c>TCP4 192.0.2.1 198.51.100.7 56324 443</c>; null if it is not so.</summary>
    private static ProxyHeader? ReadAddresses(ReadOnlySpan<byte> said)
    {
        string[] parts = Encoding.Latin1.GetString(said).Split(' ');
        if (parts is not [("TCP4" or "TCP6") and var family, _, _, _, _])
        {
            return null;
        }

        bool isIPv6 = family == "TCP6";
        bool isWhole = TryReadAddress(parts[1], isIPv6, out IPAddress? from)
            & TryReadAddress(parts[2], isIPv6, out IPAddress? to)
            & TryReadPort(parts[3], out ushort fromPort)
            & TryReadPort(parts[4], out ushort toPort);
        return isWhole
            ? new ProxyHeader
            {
                Version = 1,
                Source = PeerAddress.From(new IPEndPoint(from!, fromPort)),
                Destination = PeerAddress.From(new IPEndPoint(to!, toPort)),
            }
            : null;
    }

    /// <summary>IPv4 as four decimal numbers without leading zeros; IPv6 without scope and brackets.</summary>
    private static bool TryReadAddress(string text, bool isIPv6, out IPAddress? address)
    {
        address = null;
        return !text.AsSpan().ContainsAnyExcept(isIPv6 ? "0123456789abcdefABCDEF:." : "0123456789.")
            && text.Contains(':', StringComparison.Ordinal) == isIPv6
            && IPAddress.TryParse(text, out address)
            && (isIPv6 || address.ToString() == text);
    }

    private static bool TryReadPort(string text, out ushort port)
    {
        bool isPort = WholeNumber.TryParse(text, out int number) && number <= ushort.MaxValue && (text[0] != '0' || text.Length == 1);
        port = isPort ? (ushort)number : default;
        return isPort;
    }

    private static int ReadBinary(ReadOnlySpan<byte> came, int maxBytes, out ProxyHeader? header, out string? failure)
    {
        header = null;
        failure = null;
        int total = ProxyWire.FixedBytes + BinaryPrimitives.ReadUInt16BigEndian(came[14..]);
        if (came[12] is not (ProxyWire.VersionAndLocal or ProxyWire.VersionAndProxy))
        {
            failure = $"its version and command are 0x{came[12]:x2}, where only 0x20 and 0x21 are known";
        }
        else if (total > maxBytes)
        {
            failure = $"it is {total} bytes long, and may be {maxBytes}";
        }
        else if (came[12] == ProxyWire.VersionAndProxy && AddressBytes(came[13]) is not { } needed)
        {
            failure = $"its family and protocol are 0x{came[13]:x2}, which are not known";
        }
        else if (came.Length >= total)
        {
            header = came[12] == ProxyWire.VersionAndLocal
                ? new ProxyHeader { Version = 2 }
                : ReadBlock(came[..total], out failure);
        }

        return header is null ? 0 : total;
    }

    /// <summary>How long the addresses are; null if the family or the protocol is none.</summary>
    private static int? AddressBytes(byte familyAndProtocol) => (familyAndProtocol & 0xf) > ProxyWire.ProtocolDatagram
        ? null
        : (familyAndProtocol >> 4) switch
        {
            ProxyWire.FamilyUnspecified => 0,
            ProxyWire.FamilyIPv4 => ProxyWire.IPv4Bytes,
            ProxyWire.FamilyIPv6 => ProxyWire.IPv6Bytes,
            ProxyWire.FamilyUnix => 2 * ProxyWire.UnixPathBytes,
            _ => null,
        };

    private static ProxyHeader? ReadBlock(ReadOnlySpan<byte> whole, out string? failure)
    {
        failure = null;
        byte kind = whole[13];
        ReadOnlySpan<byte> block = whole[ProxyWire.FixedBytes..];
        int addresses = AddressBytes(kind)!.Value;
        if (kind >> 4 == ProxyWire.FamilyUnspecified || (kind & 0xf) == ProxyWire.ProtocolUnspecified)
        {
            // What the sender does not specify is not read (section 2.2): the peer stays the proxy.
            return new ProxyHeader { Version = 2 };
        }

        if (block.Length < addresses)
        {
            failure = $"its addresses need {addresses} bytes, and {block.Length} are there";
            return null;
        }

        ReadOnlySpan<byte> tlvs = block[addresses..];
        failure = FaultOf(tlvs, whole);
        if (failure is not null)
        {
            return null;
        }

        (PeerAddress from, PeerAddress to) = ReadAddresses(block, kind >> 4);
        return new ProxyHeader
        {
            Version = 2,
            Source = from,
            Destination = to,
            IsDatagram = (kind & 0xf) == ProxyWire.ProtocolDatagram,
            TlvBytes = tlvs.ToArray(),
        };
    }

    private static (PeerAddress From, PeerAddress To) ReadAddresses(ReadOnlySpan<byte> block, int family) => family switch
    {
        ProxyWire.FamilyIPv4 => (
            PeerAddress.IPv4(BinaryPrimitives.ReadUInt32BigEndian(block), BinaryPrimitives.ReadUInt16BigEndian(block[8..])),
            PeerAddress.IPv4(BinaryPrimitives.ReadUInt32BigEndian(block[4..]), BinaryPrimitives.ReadUInt16BigEndian(block[10..]))),
        ProxyWire.FamilyIPv6 => (
            PeerAddress.IPv6(BinaryPrimitives.ReadUInt128BigEndian(block), BinaryPrimitives.ReadUInt16BigEndian(block[32..]), 0),
            PeerAddress.IPv6(BinaryPrimitives.ReadUInt128BigEndian(block[16..]), BinaryPrimitives.ReadUInt16BigEndian(block[34..]), 0)),
        _ => (PathIn(block[..ProxyWire.UnixPathBytes]), PathIn(block[ProxyWire.UnixPathBytes..(2 * ProxyWire.UnixPathBytes)])),
    };

    /// <summary>A path ends at its first NUL; an abstract name, which begins with one, before the NULs that fill the field.</summary>
    private static PeerAddress PathIn(ReadOnlySpan<byte> field)
    {
        int end = field[0] == 0 ? field.TrimEnd((byte)0).Length : field.IndexOf((byte)0);
        return PeerAddress.FromUnix(SystemText.FromBytes(end < 0 ? field : field[..end]));
    }

    /// <summary>Why the fields are none: one is cut off, or the checksum over the whole header is wrong. Null if they are right.</summary>
    private static string? FaultOf(ReadOnlySpan<byte> tlvs, ReadOnlySpan<byte> whole)
    {
        while (!tlvs.IsEmpty)
        {
            int length = tlvs.Length < ProxyTlv.PrefixBytes ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(tlvs[1..]);
            if (length > tlvs.Length - ProxyTlv.PrefixBytes)
            {
                return "its last field is longer than what is left of the header";
            }

            ReadOnlySpan<byte> value = tlvs.Slice(ProxyTlv.PrefixBytes, length);
            if (tlvs[0] == ProxyWire.ChecksumType
                && (length != sizeof(uint) || BinaryPrimitives.ReadUInt32BigEndian(value) != Checksum(whole, value)))
            {
                return "its checksum is wrong";
            }

            tlvs = tlvs[(ProxyTlv.PrefixBytes + length)..];
        }

        return null;
    }

    /// <summary>CRC32c (RFC 4960 appendix B) over the header, its own four bytes taken for 0.</summary>
    private static uint Checksum(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> own)
    {
        whole.Overlaps(own, out int start);
        uint sum = uint.MaxValue;
        for (int i = 0; i < whole.Length; i++)
        {
            sum = BitOperations.Crc32C(sum, i - start is >= 0 and < sizeof(uint) ? (byte)0 : whole[i]);
        }

        return ~sum;
    }
}
