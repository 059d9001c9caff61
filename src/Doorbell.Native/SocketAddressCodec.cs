using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>Between a socket address as the kernel writes it (struct sockaddr) and the plain value; allocates nothing for IP.</summary>
internal static class SocketAddressCodec
{
    // sockaddr_in: port at 2, address at 4. sockaddr_in6: port at 2, flow at 4, address at 8, scope at 24 in the host's byte order.
    public const int PathAt = 2;

    private const int PortAt = 2;
    private const int IPv4At = 4;
    private const int IPv6At = 8;
    private const int ScopeAt = 24;
    private const ushort LinuxUnix = 1;
    private const ushort LinuxIPv4 = 2;
    private const ushort LinuxIPv6 = 10;
    private const int IPv4Size = 16;
    private const int IPv6Size = 28;

    /// <summary>sun_path holds 108 bytes on Linux (unix(7)) and Windows, 104 on macOS (sys/un.h).</summary>
    private static readonly int _maxPathBytes = OperatingSystem.IsMacOS() ? 104 : 108;

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

    /// <summary>Writes a peer as a Linux socket of <paramref name="family"/> takes it, and answers the length.</summary>
    /// <exception cref="ArgumentException">The peer has no address of that family.</exception>
    public static int WriteLinux(PeerAddress peer, AddressFamily family, Span<byte> bytes)
    {
        bool isUnix = family == AddressFamily.Unix && peer.Kind == AddressKind.Unix;
        int length = isUnix ? WriteUnix(peer.Path!, bytes) : WriteIP(peer, family, bytes);
        BitConverter.TryWriteBytes(bytes, isUnix ? LinuxUnix : family == AddressFamily.InterNetwork ? LinuxIPv4 : LinuxIPv6);
        return length;
    }

    /// <summary>
    /// Writes sun_path, with its NUL behind it if there is room and it is no abstract name; answers the address's length.
    /// </summary>
    /// <exception cref="ArgumentException">It is unnamed, or longer than an address can be.</exception>
    public static int WriteUnix(string path, Span<byte> bytes)
    {
        byte[] encoded = SystemText.ToBytes(path);
        int length = encoded.Length;
        if (length == 0)
        {
            throw new ArgumentException("An unnamed unix socket has no address that could be sent to.");
        }

        if (length > _maxPathBytes)
        {
            throw new ArgumentException($"A unix socket's path has at most {_maxPathBytes} bytes (unix(7)).");
        }

        encoded.CopyTo(bytes[PathAt..]);
        if (encoded[0] == 0 || length == _maxPathBytes)
        {
            return PathAt + length;
        }

        bytes[PathAt + length] = 0;
        return PathAt + length + 1;
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
    /// sun_path: a path up to its NUL, or an abstract name, whose first byte is NUL and whose every byte counts, a NUL at its end too: C
    /// programs that give the whole struct as the length of a name have such names (unix(7)).
    /// </summary>
    private static string PathOf(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> path = bytes[PortAt..];
        if (path.IsEmpty)
        {
            return "";
        }

        int end = path[0] == 0 ? path.Length : path.IndexOf((byte)0);
        return SystemText.FromBytes(end < 0 ? path : path[..end]);
    }
}
