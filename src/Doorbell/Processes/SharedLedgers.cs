using System.Buffers;

namespace Doorbell;

/// <summary>
/// Ledgers in memory that the processes of a server share (memfd_create(2), mmap(2)): what a process has counted is there, whatever
/// becomes of it. A place for each process at once.
/// </summary>
internal sealed unsafe class SharedLedgers : IDisposable
{
    /// <summary>Of each ledger, with room to grow; a power of two, so that no two share a cache line.</summary>
    private const int Stride = 512;

    private readonly Ledger?[] _ledgers;
    private readonly void* _memory;
    private readonly nuint _bytes;

    private SharedLedgers(int descriptor, int places)
    {
        const int ReadWrite = 3;
        const int Shared = 1;
        Descriptor = descriptor;
        _ledgers = new Ledger?[places];
        _bytes = (nuint)places * Stride;
        _memory = Libc.mmap(null, _bytes, ReadWrite, Shared, descriptor, 0);
        if (_memory == (void*)-1)
        {
            throw NetworkException.FromErrno("mmap", "the ledger that processes share", LinuxErrno.Last);
        }
    }

    /// <summary>For the processes that are to open it too.</summary>
    public int Descriptor { get; }

    public int Places => _ledgers.Length;

    public Ledger this[int place] => _ledgers[place] ??= new Ledger(new Mapped(At(place)).Memory);

    /// <summary>Two numbers behind a place's ledger: see <see cref="SharedPeers"/>.</summary>
    public Span<long> PeerOf(int place) => new(At(place) + Ledger.CellCount, 2);

    /// <exception cref="NetworkException">No memory or descriptor is left.</exception>
    public static SharedLedgers Make(int places)
    {
        const uint CloseOnExec = 1;
        fixed (byte* name = "doorbell-ledger\0"u8)
        {
            int descriptor = Libc.memfd_create(name, CloseOnExec);
            return descriptor >= 0 && Libc.ftruncate(descriptor, (long)places * Stride) == 0
                ? new SharedLedgers(descriptor, places)
                : throw NetworkException.FromErrno("memfd_create", "the ledger that processes share", LinuxErrno.Last);
        }
    }

    /// <summary>In a process that was given the descriptor.</summary>
    public static SharedLedgers Open(int descriptor, int places) => new(descriptor, places);

    private long* At(int place) => (long*)_memory + (place * (long)Stride / sizeof(long));

    /// <summary>The descriptor is closed; the memory stays, since ledgers are read after a server's end.</summary>
    public void Dispose() => _ = Libc.close(Descriptor);

    private sealed class Mapped(long* cells) : MemoryManager<long>
    {
        public override Span<long> GetSpan() => new(cells, Stride / sizeof(long));

        public override MemoryHandle Pin(int elementIndex = 0) => new(cells + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
