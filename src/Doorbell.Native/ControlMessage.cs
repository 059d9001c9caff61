using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>struct cmsghdr (cmsg(3)): what comes and goes beside a message's bytes. Its data follows, aligned as size_t is.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ControlMessage
{
    public const int SocketLevel = 1;
    public const int IPLevel = 0;
    public const int UdpLevel = 17;
    public const int IPv6Level = 41;

    /// <summary>SO_RXQ_OVFL (socket(7)): datagrams dropped since the socket was made, a 32-bit count that wraps around.</summary>
    public const int ReceiveOverflow = 40;

    /// <summary>UDP_SEGMENT (udp(7)): 16 bits, the size that a message's bytes are cut into.</summary>
    public const int UdpSegment = 103;

    /// <summary>UDP_GRO (udp(7)): an int, the size that the datagrams joined into this message had.</summary>
    public const int UdpJoined = 104;

    /// <summary>IP_PKTINFO (ip(7)), struct in_pktinfo: the interface, our address for an answer, the address in the header.</summary>
    public const int PacketInfo = 8;

    /// <summary>IPV6_RECVPKTINFO (ipv6(7)): asks for <see cref="PacketInfo6"/> of what is received.</summary>
    public const int ReceivePacketInfo6 = 49;

    /// <summary>IPV6_PKTINFO (ipv6(7)), struct in6_pktinfo: the address in the packet's header, the interface.</summary>
    public const int PacketInfo6 = 50;

    /// <summary>Bytes of struct in_pktinfo, and where its parts are.</summary>
    public const int PacketInfoBytes = 12;
    public const int PacketInfoAnswerFrom = 4;
    public const int PacketInfoHeader = 8;

    /// <summary>Bytes of struct in6_pktinfo, and where its parts are.</summary>
    public const int PacketInfo6Bytes = 20;
    public const int PacketInfo6Interface = 16;

    public nuint Length;
    public int Level;
    public int Type;

    /// <summary>The first of those that a message came with; null if there is none.</summary>
    public static ControlMessage* First(MessageHeader* message) =>
        message->ControlLength >= (nuint)sizeof(ControlMessage) ? (ControlMessage*)message->Control : null;

    /// <summary>The one behind <paramref name="current"/>; null at the end.</summary>
    public static ControlMessage* Next(MessageHeader* message, ControlMessage* current)
    {
        byte* end = message->Control + message->ControlLength;
        nuint space = Align(current->Length);
        return current->Length >= (nuint)sizeof(ControlMessage) && space + (nuint)sizeof(ControlMessage) <= (nuint)(end - (byte*)current)
            ? (ControlMessage*)((byte*)current + space)
            : null;
    }

    /// <summary>Where the data of <paramref name="message"/> is.</summary>
    public static byte* DataOf(ControlMessage* message) => (byte*)(message + 1);

    /// <summary>Adds one behind those that a message to be sent has, and answers where its data goes; there must be room.</summary>
    public static byte* Append(MessageHeader* message, int level, int type, int dataBytes)
    {
        ControlMessage* added = (ControlMessage*)(message->Control + message->ControlLength);
        added->Length = (nuint)(sizeof(ControlMessage) + dataBytes);
        added->Level = level;
        added->Type = type;
        message->ControlLength += Align(added->Length);
        return DataOf(added);
    }

    private static nuint Align(nuint length) => (length + (nuint)sizeof(nuint) - 1) & ~((nuint)sizeof(nuint) - 1);
}
