using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>What the kernel is given and gives at the set-up of a ring (linux/io_uring.h).</summary>
internal static class IoUringStructures
{
    /// <summary>struct io_uring_params.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Parameters
    {
        public uint SubmissionEntries;
        public uint CompletionEntries;
        public uint Flags;
        public uint Processor;
        public uint Idle;
        public uint Features;
        public uint WorkQueue;
        public Reserved Unused;
        public SubmissionRing SubmissionOffsets;
        public CompletionRing CompletionOffsets;
    }

    [InlineArray(3)]
    internal struct Reserved
    {
        private uint _first;
    }

    /// <summary>struct io_sqring_offsets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SubmissionRing
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Entries;
        public uint Flags;
        public uint Dropped;
        public uint Array;
        public uint Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_cqring_offsets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct CompletionRing
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Count;
        public uint Overflow;
        public uint Entries;
        public uint Flags;
        public uint Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_uring_buf_reg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BufferRegistration
    {
        public ulong Address;
        public uint Entries;
        public ushort Group;
        public ushort Flags;
        public ulong Unused1;
        public ulong Unused2;
        public ulong Unused3;
    }
}
