using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>An entry of the submission queue: struct io_uring_sqe (io_uring_enter(2)).</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct Submission
{
    [FieldOffset(0)]
    public byte Operation;
    [FieldOffset(1)]
    public byte Flags;

    /// <summary>Flags of accept, send and receive that are io_uring's own, such as multishot.</summary>
    [FieldOffset(2)]
    public ushort Priority;
    [FieldOffset(4)]
    public int Descriptor;

    /// <summary>Of accept: where the length of the address stands, before and after.</summary>
    [FieldOffset(8)]
    public ulong AddressLength;
    [FieldOffset(16)]
    public ulong Address;
    [FieldOffset(24)]
    public uint Length;

    /// <summary>Of the operation: MSG_ flags, poll's events, cancel's flags.</summary>
    [FieldOffset(28)]
    public uint OperationFlags;
    [FieldOffset(32)]
    public ulong UserData;
    [FieldOffset(40)]
    public ushort BufferGroup;
}
