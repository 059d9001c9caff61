using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>An entry of the completion queue: struct io_uring_cqe.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Completion
{
    public const uint HasBuffer = 1;
    public const uint More = 2;

    public ulong UserData;
    public int Result;
    public uint Flags;

    /// <summary>Of a receive into a provided buffer: which.</summary>
    public readonly int Buffer => (int)(Flags >> 16);
}
