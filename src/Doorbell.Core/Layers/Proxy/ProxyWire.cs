namespace Doorbell.Sessions;

/// <summary>The numbers of the PROXY protocol's binary form (section 2.2), and the sizes of both forms.</summary>
internal static class ProxyWire
{
    /// <summary>The longest header of version 1, with its CR and LF (section 2.1).</summary>
    public const int MaxLineBytes = 107;

    /// <summary>Signature, version and command, family and protocol, length.</summary>
    public const int FixedBytes = 16;

    public const int VersionAndLocal = 0x20;
    public const int VersionAndProxy = 0x21;

    public const int FamilyUnspecified = 0;
    public const int FamilyIPv4 = 1;
    public const int FamilyIPv6 = 2;
    public const int FamilyUnix = 3;

    public const int ProtocolUnspecified = 0;
    public const int ProtocolStream = 1;
    public const int ProtocolDatagram = 2;

    public const int IPv4Bytes = 12;
    public const int IPv6Bytes = 36;
    public const int UnixPathBytes = 108;

    /// <summary>PP2_TYPE_CRC32C.</summary>
    public const byte ChecksumType = 3;

    public static ReadOnlySpan<byte> LineStart => "PROXY "u8;

    public static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;
}
