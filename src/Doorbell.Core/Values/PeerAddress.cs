using System.Buffers.Binary;
using System.Net;

namespace Doorbell;

/// <summary>What kind of address a <see cref="PeerAddress"/> is.</summary>
public enum AddressKind
{
    /// <summary>None: unknown.</summary>
    None,

    /// <summary>An IPv4 address and a port.</summary>
    IPv4,

    /// <summary>An IPv6 address, a scope and a port.</summary>
    IPv6,

    /// <summary>A unix socket's path, abstract name, or nothing for an unnamed one (unix(7)).</summary>
    Unix,
}

/// <summary>
/// A socket's address as a plain value, with no allocation for IP. An IPv4 address that came mapped into IPv6 (RFC 4291 section
/// 2.5.5.2), as over a dual-stack socket, is the IPv4 address.
/// </summary>
public readonly record struct PeerAddress
{
    private const ulong MappedPrefix = 0xffff;

    private PeerAddress(AddressKind kind, UInt128 bits, ushort port, uint scope, string? path)
    {
        Kind = kind;
        Bits = bits;
        Port = port;
        ScopeId = scope;
        Path = path;
    }

    /// <summary>What kind it is.</summary>
    public AddressKind Kind { get; }

    /// <summary>The IP address as a number: 32 bits for IPv4, 128 for IPv6.</summary>
    public UInt128 Bits { get; }

    /// <summary>The port; 0 for unix.</summary>
    public ushort Port { get; }

    /// <summary>The interface of a link-local IPv6 address; otherwise 0.</summary>
    public uint ScopeId { get; }

    /// <summary>
    /// A unix socket's path, as <see cref="SystemText"/> has it: every byte of it counts. An abstract name begins with NUL; empty if
    /// unnamed. Null for IP.
    /// </summary>
    public string? Path { get; }

    /// <summary>
    /// Whether it is this machine's own: 127.0.0.0/8, ::1 or any unix socket. Such a source can't be forged from outside.
    /// </summary>
    public bool IsLoopback => Kind switch
    {
        AddressKind.IPv4 => (uint)Bits >> 24 == 127,
        AddressKind.IPv6 => Bits == UInt128.One,
        AddressKind.Unix => true,
        _ => false,
    };

    /// <summary>An IPv4 address.</summary>
    /// <param name="address">As a number.</param>
    /// <param name="port">The port.</param>
    public static PeerAddress IPv4(uint address, ushort port) => new(AddressKind.IPv4, address, port, 0, null);

    /// <summary>An IPv6 address; a mapped IPv4 address becomes that.</summary>
    /// <param name="address">As a number.</param>
    /// <param name="port">The port.</param>
    /// <param name="scopeId">The interface, for a link-local address.</param>
    public static PeerAddress IPv6(UInt128 address, ushort port, uint scopeId) => address >> 32 == MappedPrefix
        ? IPv4((uint)address, port)
        : new PeerAddress(AddressKind.IPv6, address, port, scopeId, null);

    /// <summary>A unix socket's address.</summary>
    /// <param name="path">Its path; null or empty if it is unnamed.</param>
    public static PeerAddress FromUnix(string? path) => new(AddressKind.Unix, 0, 0, 0, path ?? "");

    /// <summary>The same address as .NET writes it.</summary>
    /// <param name="endPoint">IPv4 or IPv6.</param>
    public static PeerAddress From(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out int length);
        ushort port = (ushort)endPoint.Port;
        return length == 4
            ? IPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes), port)
            : IPv6(BinaryPrimitives.ReadUInt128BigEndian(bytes), port, (uint)endPoint.Address.ScopeId);
    }

    /// <summary>The same address as .NET writes it; allocates.</summary>
    /// <exception cref="InvalidOperationException">It is not an IP address.</exception>
    public IPEndPoint ToIPEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        switch (Kind)
        {
            case AddressKind.IPv4:
                BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Bits);
                return new IPEndPoint(new IPAddress(bytes[..4]), Port);
            case AddressKind.IPv6:
                BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);
                return new IPEndPoint(new IPAddress(bytes, ScopeId), Port);
            default:
                throw new InvalidOperationException($"{this} is not an IP address.");
        }
    }

    /// <summary>As <c>127.0.0.1:6789</c>, <c>[::1]:6789</c>, a path, <c>@name</c> for an abstract name, or <c>unnamed</c>.</summary>
    public override string ToString() => Kind switch
    {
        AddressKind.None => "unknown",
        AddressKind.Unix when string.IsNullOrEmpty(Path) => "unnamed",
        AddressKind.Unix => PrintableText.Escape(Path[0] == '\0' ? "@" + Path[1..] : Path),
        _ => ToIPEndPoint().ToString(),
    };
}
