using System.Buffers;
using System.Numerics;
using Doorbell.Native;

namespace Doorbell.Processes.Workers;

/// <summary>
/// Ledgers in memory that the processes of a server share (memfd_create(2), mmap(2)): what a process has counted is there, whatever
/// becomes of it. A slot for each process at once.
/// </summary>
internal sealed unsafe class SharedLedgers : IDisposable
{
    private const int CountCells = 5;

    /// <summary>Bytes from one slot to the next: a power of two with room for all cells, so that no two slots share a cache line.</summary>
    private static readonly int _stride = (int)BitOperations.RoundUpToPowerOf2((uint)((Ledger.CellCount + CountCells) * sizeof(long)));

    private readonly Ledger?[] _ledgers;
    private readonly IReadOnlyList<LedgerCounter> _counters;
    private readonly void* _memory;
    private readonly nuint _bytes;

    private SharedLedgers(int descriptor, int slots, IReadOnlyList<LedgerCounter> counters)
    {
        _counters = counters;
        const int ReadWrite = 3;
        const int Shared = 1;
        Descriptor = descriptor;
        _ledgers = new Ledger?[slots];
        _bytes = (nuint)slots * (nuint)_stride;
        _memory = Libc.mmap(null, _bytes, ReadWrite, Shared, descriptor, 0);
        if (_memory == (void*)-1)
        {
            throw NetworkException.FromErrno("mmap", "the ledger that processes share", LinuxErrno.Last);
        }
    }

    /// <summary>For the processes that are to open it too.</summary>
    public int Descriptor { get; }

    public int Slots => _ledgers.Length;

    public Ledger this[int slot] => _ledgers[slot] ??= new Ledger(new Mapped(At(slot)).Memory, _counters);

    /// <summary>Numbers behind a slot's ledger: see <see cref="SharedCounts"/>.</summary>
    public Span<long> CountsOf(int slot) => new(At(slot) + Ledger.CellCount, CountCells);

    /// <exception cref="NetworkException">No memory or descriptor is left.</exception>
    /// <param name="slots">Most processes at once.</param>
    /// <param name="counters">Of the services, in the same order in each process.</param>
    public static SharedLedgers Make(int slots, IReadOnlyList<LedgerCounter> counters)
    {
        const uint CloseOnExec = 1;
        fixed (byte* name = "doorbell-ledger\0"u8)
        {
            int descriptor = Libc.memfd_create(name, CloseOnExec);
            return descriptor >= 0 && Libc.ftruncate(descriptor, (long)slots * _stride) == 0
                ? new SharedLedgers(descriptor, slots, counters)
                : throw NetworkException.FromErrno("memfd_create", "the ledger that processes share", LinuxErrno.Last);
        }
    }

    /// <summary>In a process that was given the descriptor.</summary>
    public static SharedLedgers Open(int descriptor, int slots, IReadOnlyList<LedgerCounter> counters) => new(descriptor, slots, counters);

    private long* At(int slot) => (long*)_memory + (slot * (long)_stride / sizeof(long));

    /// <summary>The descriptor is closed; the memory stays, since ledgers are read after a server's end.</summary>
    public void Dispose() => _ = Libc.close(Descriptor);

    private sealed class Mapped(long* cells) : MemoryManager<long>
    {
        public override Span<long> GetSpan() => new(cells, Ledger.CellCount);

        public override MemoryHandle Pin(int elementIndex = 0) => new(cells + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
