using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>Between a socket address as the kernel writes it (struct sockaddr) and the plain value; allocates nothing for IP.</summary>
internal static class SocketAddressCodec
{
    // sockaddr_in: port at 2, address at 4. sockaddr_in6: port at 2, flow at 4, address at 8, scope at 24 in the host's byte order.
    private const int PortAt = 2;
    private const int IPv4At = 4;
    private const int IPv6At = 8;
    private const int ScopeAt = 24;
    private const ushort LinuxUnix = 1;
    private const ushort LinuxIPv4 = 2;
    private const ushort LinuxIPv6 = 10;
    private const int IPv4Size = 16;
    private const int IPv6Size = 28;

    public static PeerAddress Read(SocketAddress address)
    {
        ReadOnlySpan<byte> bytes = address.Buffer.Span;
        switch (address.Family)
        {
            case AddressFamily.InterNetwork:
                return PeerAddress.IPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes[IPv4At..]), Port(bytes));
            case AddressFamily.InterNetworkV6:
                return PeerAddress.IPv6(
                    BinaryPrimitives.ReadUInt128BigEndian(bytes[IPv6At..]), Port(bytes), BitConverter.ToUInt32(bytes[ScopeAt..]));
            case AddressFamily.Unix:
                return PeerAddress.FromUnix(PathOf(bytes[..address.Size]));
            default:
                return default;
        }
    }

    /// <summary>Reads struct sockaddr as Linux has it, of exactly the length that the kernel told.</summary>
    public static PeerAddress ReadLinux(ReadOnlySpan<byte> bytes) => bytes.Length < PortAt
        ? PeerAddress.FromUnix("")
        : BitConverter.ToUInt16(bytes) switch
        {
            LinuxIPv4 => PeerAddress.IPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes[IPv4At..]), Port(bytes)),
            LinuxIPv6 => PeerAddress.IPv6(
                BinaryPrimitives.ReadUInt128BigEndian(bytes[IPv6At..]), Port(bytes), BitConverter.ToUInt32(bytes[ScopeAt..])),
            LinuxUnix => PeerAddress.FromUnix(PathOf(bytes)),
            _ => default,
        };

    /// <summary>Whether an IP socket of <paramref name="family"/> can send to that peer.</summary>
    public static bool CanWrite(PeerAddress peer, AddressFamily family) => peer.Kind == AddressKind.IPv4
        ? family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
        : peer.Kind == AddressKind.IPv6 && family == AddressFamily.InterNetworkV6;

    /// <summary>Writes an IP peer as a Linux socket of <paramref name="family"/> takes it, and answers the length.</summary>
    /// <exception cref="ArgumentException">The peer has no address of that family.</exception>
    public static int WriteLinux(PeerAddress peer, AddressFamily family, Span<byte> bytes)
    {
        int length = WriteIP(peer, family, bytes);
        BitConverter.TryWriteBytes(bytes, family == AddressFamily.InterNetwork ? LinuxIPv4 : LinuxIPv6);
        return length;
    }

    /// <summary>
    /// Writes an IP peer as a socket of <paramref name="family"/> takes it: IPv4 mapped into IPv6 if need be. The address written to
    /// was made for that family, and whatever it held before is gone.
    /// </summary>
    /// <exception cref="ArgumentException">The peer has no address of that family.</exception>
    public static void Write(PeerAddress peer, AddressFamily family, SocketAddress address)
    {
        address.Size = SocketAddress.GetMaximumAddressSize(family);
        address.Size = WriteIP(peer, family, address.Buffer.Span);
    }

    private static int WriteIP(PeerAddress peer, AddressFamily family, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[PortAt..], peer.Port);
        if (family == AddressFamily.InterNetwork && peer.Kind == AddressKind.IPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[IPv4At..], (uint)peer.Bits);
            bytes[(IPv4At + sizeof(uint))..IPv4Size].Clear();
            return IPv4Size;
        }

        if (family == AddressFamily.InterNetworkV6 && peer.Kind is AddressKind.IPv4 or AddressKind.IPv6)
        {
            UInt128 mapped = peer.Kind == AddressKind.IPv6 ? peer.Bits : ((UInt128)0xffff << 32) | peer.Bits;
            bytes[IPv4At..IPv6At].Clear();
            BinaryPrimitives.WriteUInt128BigEndian(bytes[IPv6At..], mapped);
            BitConverter.TryWriteBytes(bytes[ScopeAt..], peer.ScopeId);
            return IPv6Size;
        }

        throw new ArgumentException($"{peer} has no address that this socket could send to.");
    }

    private static ushort Port(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16BigEndian(bytes[PortAt..]);

    /// <summary>
    /// sun_path: a path up to its NUL, or an abstract name, whose first byte is NUL. Socket does not tell where a received name ends,
    /// so the lane clears the address before each receive, and an abstract name is taken to end before its tail of NULs.
    /// </summary>
    private static string PathOf(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> path = bytes[PortAt..];
        if (path.IsEmpty)
        {
            return "";
        }

        int end = path[0] == 0 ? path.TrimEnd((byte)0).Length : path.IndexOf((byte)0);
        return System.Text.Encoding.UTF8.GetString(end < 0 ? path : path[..end]);
    }
}
