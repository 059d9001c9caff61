using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Doorbell.Lanes;

/// <summary>
/// Memory that a lane receives into. It begins at a page: the runtime aligns an array to 8 bytes alone, and into such an address the
/// kernel's copy took 2.7 times as long on the machine where that was measured.
/// </summary>
internal sealed unsafe class ReceiveBuffer
{
    /// <summary>In front of what is received: room for what a session had left of the bytes before.</summary>
    public const int RestBytes = 64 * 1024;

    /// <summary>From so many on it pays to send from where they were received.</summary>
    public const int MuchBytes = 16 * 1024;

    /// <summary>
    /// A stream is moved in pieces of so many, and each piece costs a turn: at 64 KiB an echo cost half as much again as at 256. Memory is
    /// what was ever received into.
    /// </summary>
    private const int Bytes = 256 * 1024;

    private const int PageBytes = 4096;

    private readonly byte[] _array = GC.AllocateUninitializedArray<byte>(PageBytes + RestBytes + Bytes, pinned: true);
    private readonly int _start;

    public ReceiveBuffer()
    {
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
        _start = (int)(-address & (PageBytes - 1));
    }

    /// <summary>All of it, <see cref="RestBytes"/> included.</summary>
    public Memory<byte> Memory => _array.AsMemory(_start, RestBytes + Bytes);

    /// <summary>Where to receive.</summary>
    public Span<byte> Room => _array.AsSpan(_start + RestBytes, Bytes);

    /// <summary>A part of it, for a receive of little.</summary>
    public Span<byte> Piece(int offset, int bytes) => _array.AsSpan(_start + offset, bytes);
}
