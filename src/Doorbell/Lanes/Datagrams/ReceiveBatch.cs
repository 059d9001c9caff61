using System.Buffers.Binary;
using Doorbell.Native;

namespace Doorbell.Lanes.Datagrams;

/// <summary>
/// Room for a batch of datagrams and what recvmmsg(2) tells of each. Allocated once, outside the heap: 4.2 MiB of addresses for UDP,
/// of which only what datagrams have touched is memory.
/// </summary>
internal sealed unsafe class ReceiveBatch : IDisposable
{
    public const int Max = 64;

    /// <summary>More than IP can carry, so what the kernel has joined fits too.</summary>
    private const int UdpSlotBytes = 64 * 1024;

    /// <summary>Slots begin in different sets of the processor's caches, which they would not at a power of two from each other.</summary>
    private const int Stagger = 64;

    // struct sockaddr_un is the longest, 110 bytes. For control messages: overflow, two addresses and the stride take 120 bytes; the
    // rest is for what --option may ask for, such as time stamps.
    private const int AddressBytes = 128;
    private const int ControlBytes = 512;
    private const int SlotBytes = AddressBytes + ControlBytes;

    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly int _dataBytes;
    private readonly nuint _bytes;
    private readonly byte* _memory;
    private readonly CountedMessage* _messages;
    private readonly int _controlBytes;
    private int _count;

    /// <param name="isUnix">Then a datagram is not joined with others, and brings no control messages: they could be open files.</param>
    /// <param name="largest">Bytes of the largest datagram taken.</param>
    /// <exception cref="NetworkException">There is no memory.</exception>
    public ReceiveBatch(bool isUnix, int largest)
    {
        // One byte more than is taken: a datagram that fills it is too long, and the kernel has cut it.
        _dataBytes = isUnix ? largest + 1 : UdpSlotBytes;
        _controlBytes = isUnix ? 0 : ControlBytes;
        nuint stride = (nuint)(((_dataBytes + Stagger - 1) & -Stagger) + Stagger);
        nuint heads = (nuint)(Max * (sizeof(CountedMessage) + sizeof(BufferVector) + SlotBytes));
        _bytes = heads + (stride * Max);
        void* memory = Libc.mmap(null, _bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)memory == -1)
        {
            throw NetworkException.FromErrno("mmap", "a datagram lane", LinuxErrno.Last);
        }

        _memory = (byte*)memory;
        _messages = (CountedMessage*)_memory;
        BufferVector* buffers = (BufferVector*)(_messages + Max);
        byte* slots = (byte*)(buffers + Max);
        for (int i = 0; i < Max; i++)
        {
            buffers[i] = new BufferVector { Base = _memory + heads + (stride * (nuint)i), Length = (nuint)_dataBytes };
            _messages[i].Header = new MessageHeader
            {
                Name = slots + (SlotBytes * i),
                Buffers = buffers + i,
                BufferCount = 1,
                Control = slots + (SlotBytes * i) + AddressBytes,
            };
        }

        _count = Max;
    }

    /// <summary>Receives what is there, at most <see cref="Max"/> messages, without waiting; their number, or -1 and errno.</summary>
    public int Receive(int socket)
    {
        // The kernel wrote how much it used.
        for (int i = 0; i < _count; i++)
        {
            _messages[i].Header.NameLength = AddressBytes;
            _messages[i].Header.ControlLength = (nuint)_controlBytes;
        }

        int count = SystemCalls.Backend.ReceiveMessages(socket, _messages, Max, Libc.MessageDontWait);
        _count = Math.Max(count, 0);
        return count;
    }

    /// <summary>The bytes of a message.</summary>
    public ReadOnlySpan<byte> BytesOf(int index) =>
        new(_messages[index].Header.Buffers->Base, Math.Min(_messages[index].Length, _dataBytes));

    /// <summary>What is told beside its bytes.</summary>
    public ReceivedMessage this[int index]
    {
        get
        {
            MessageHeader* header = &_messages[index].Header;
            ReceivedMessage message = new()
            {
                Peer = SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(header->Name, Math.Min(header->NameLength, AddressBytes))),
                Stride = _messages[index].Length,
                IsTruncated = (header->Flags & LibcMessages.Truncated) != 0,
            };
            for (ControlMessage* control = ControlMessage.First(header); control != null; control = ControlMessage.Next(header, control))
            {
                Read(control, ref message);
            }

            return message;
        }
    }

    public void Dispose() => _ = Libc.munmap(_memory, _bytes);

    private static void Read(ControlMessage* control, ref ReceivedMessage message)
    {
        byte* data = ControlMessage.DataOf(control);
        switch ((control->Level, control->Type))
        {
            case (ControlMessage.UdpLevel, ControlMessage.UdpJoined):
                message.Stride = *(int*)data;
                break;
            case (ControlMessage.SocketLevel, ControlMessage.ReceiveOverflow):
                message.Dropped = *(uint*)data;
                break;
            case (ControlMessage.IPLevel, ControlMessage.PacketInfo):
                message.Local = LocalOf(data);
                message.IsToMany |= IsToMany(data);
                break;
            case (ControlMessage.IPv6Level, ControlMessage.PacketInfo6):
                message.Local = LocalOf6(data);
                message.IsToMany |= *data == 0xff; // ff00::/8 (RFC 4291 section 2.7)
                break;
        }
    }

    private static PeerAddress LocalOf(byte* info)
    {
        uint address = BinaryPrimitives.ReadUInt32BigEndian(
            new ReadOnlySpan<byte>(info + ControlMessage.PacketInfoAnswerFrom, sizeof(uint)));
        return address == 0 ? default : PeerAddress.IPv4(address, 0);
    }

    /// <summary>The address in the header is not one to answer from: a broadcast or multicast address.</summary>
    private static bool IsToMany(byte* info) =>
        *(uint*)(info + ControlMessage.PacketInfoAnswerFrom) != *(uint*)(info + ControlMessage.PacketInfoHeader);

    private static PeerAddress LocalOf6(byte* info)
    {
        UInt128 address = BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(info, sizeof(UInt128)));
        uint top = (uint)(address >> 96);

        // Nothing is sent from a multicast address, ff00::/8 (RFC 4291 section 2.7). Only a link-local one, fe80::/10, needs its
        // interface told; for others the route decides, as it did for the question.
        return top >> 24 == 0xff || address == 0
            ? default
            : PeerAddress.IPv6(address, 0, top >> 22 == 0xfe80 >> 6 ? *(uint*)(info + ControlMessage.PacketInfo6Interface) : 0);
    }
}

/// <summary>A message received: one datagram, or several of one peer's that the kernel has joined.</summary>
internal record struct ReceivedMessage
{
    public PeerAddress Peer;

    /// <summary>To which of our addresses it came, if that was asked for.</summary>
    public PeerAddress Local;

    /// <summary>Whether it came to a broadcast or multicast address, if <see cref="Local"/> was asked for.</summary>
    public bool IsToMany;

    /// <summary>The length of each datagram but the last.</summary>
    public int Stride;

    /// <summary>Whether its end is missing.</summary>
    public bool IsTruncated;

    /// <summary>How many the kernel had dropped when it came; 0 if it does not say.</summary>
    public uint Dropped;

    /// <summary>How many datagrams are in so many bytes; an empty one is one too.</summary>
    public readonly int CountIn(int bytes) => bytes <= Stride ? 1 : (bytes + Stride - 1) / Stride;
}
