using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>struct msghdr (recvmsg(2)), as the C library has it where pointers have 64 bits.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public byte* Name;
    public int NameLength;
    public BufferVector* Buffers;
    public nuint BufferCount;
    public byte* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct mmsghdr (recvmmsg(2)): a message and how many bytes of it moved.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CountedMessage
{
    public MessageHeader Header;
    public int Length;
}

/// <summary>struct iovec (readv(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BufferVector
{
    public byte* Base;
    public nuint Length;
}
