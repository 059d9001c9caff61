using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// Memory that the kernel receives into and chooses from (io_uring_register_buf_ring(3)): a connection that waits owns none of it. A
/// buffer is out from the completion that names it until <see cref="Return"/>.
/// </summary>
internal sealed unsafe class ProvidedBuffers : IDisposable
{
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private static int _regions;

    private readonly Entry* _ring;
    private readonly byte* _bytes;
    private readonly nuint _mapped;
    private readonly int _mask;
    private readonly int _size;
    private readonly bool[] _taken;
    private ushort _tail;

    /// <param name="ring">Whose; registered there until it is disposed.</param>
    /// <param name="group">The number that receives name it by.</param>
    /// <param name="count">Buffers; a power of 2, at most 32,768.</param>
    /// <param name="size">Bytes of each.</param>
    /// <exception cref="NetworkException">The system refuses it.</exception>
    public ProvidedBuffers(IoUring ring, ushort group, int count, int size)
    {
        Group = group;
        // The ring of entries first, which has to begin a page, and behind it the buffers. A page costs memory once it is touched.
        nuint ringBytes = (nuint)(((count * sizeof(Entry)) + 4095) & ~4095);
        _mapped = ringBytes + ((nuint)count * (nuint)size);
        byte* memory = (byte*)Libc.mmap(null, _mapped, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)memory == -1)
        {
            throw NetworkException.FromErrno("mmap", "a lane's receive buffers", LinuxErrno.Last);
        }

        Interlocked.Increment(ref _regions);
        _ring = (Entry*)memory;
        _bytes = memory + ringBytes;
        _mask = count - 1;
        _size = size;
        _taken = new bool[count];
        int errno = ring.TryRegister(memory, (uint)count, group);
        if (errno != 0)
        {
            Dispose();
            throw NetworkException.FromErrno("io_uring_register", "a lane's receive buffers", errno);
        }

        for (int i = 0; i < count; i++)
        {
            Offer(i);
        }
    }

    public ushort Group { get; }

    /// <summary>How many of these this process has mapped.</summary>
    public static int Regions => Volatile.Read(ref _regions);

    /// <summary>How many are out.</summary>
    public int Out { get; private set; }

    /// <summary>What the kernel has received into a buffer; it is out until it is given back.</summary>
    public ReadOnlySpan<byte> Take(int buffer, int length)
    {
        Out++;
        AssertTaken(buffer, length);
        return new ReadOnlySpan<byte>(_bytes + ((long)buffer * _size), length);
    }

    public void Return(int buffer)
    {
        Out--;
        Spoil(buffer);
        Offer(buffer);
    }

    public void Dispose()
    {
        if (Libc.munmap(_ring, _mapped) == 0)
        {
            Interlocked.Decrement(ref _regions);
        }
    }

    [Conditional("DEBUG")]
    private void AssertTaken(int buffer, int length)
    {
        Debug.Assert(buffer <= _mask && length <= _size, "the kernel names a buffer that there is not");
        Debug.Assert(!_taken[buffer], "the kernel has received into a buffer that it was not given back");
        _taken[buffer] = true;
    }

    /// <summary>In a debug build: who still reads it sees it.</summary>
    [Conditional("DEBUG")]
    private void Spoil(int buffer)
    {
        Debug.Assert(_taken[buffer], "given back twice");
        _taken[buffer] = false;
        new Span<byte>(_bytes + ((long)buffer * _size), _size).Fill(0xDD);
    }

    private void Offer(int buffer)
    {
        Entry* entry = &_ring[_tail & _mask];
        entry->Address = (ulong)(_bytes + ((long)buffer * _size));
        entry->Length = (uint)_size;
        entry->Buffer = (ushort)buffer;
        _tail++;

        // The tail lies in the first entry, where an entry has nothing else.
        Volatile.Write(ref _ring->Tail, _tail);
    }

    /// <summary>struct io_uring_buf, and at the first of them the ring's tail (struct io_uring_buf_ring).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Address;
        public uint Length;
        public ushort Buffer;
        public ushort Tail;
    }
}
