using System.Diagnostics;
using System.Runtime.InteropServices;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// A lane's own memory for what its sessions keep: arrays that never move, so that the kernel may read them while a send is under way,
/// and no locks, since one thread rents and returns. It keeps as many as were ever out at once, up to a bound, until nobody has needed
/// them for a while.
/// </summary>
/// <param name="budget">In which the arrays count that are out.</param>
internal sealed class LanePool(BufferBudget budget) : BudgetedPool(budget)
{
    /// <summary>What a debug build fills returned memory with: who still reads it sees it, and who still writes it is seen.</summary>
    public const byte Spoilt = 0xDD;

    private const int SmallestBits = 10;

    /// <summary>
    /// What is out is told to the budget, which all lanes write to, only when it has changed by so much: a request costs an addition.
    /// </summary>
    private const int ToldBytes = 64 * 1024;

    private readonly FreeArrays _free = new(SmallestBits);

    /// <summary>Bytes that are out, and how many of them the budget knows of.</summary>
    private long _held;
    private long _told;

    /// <summary>For debug builds alone: who owns what, and what the kernel reads.</summary>
    private readonly HashSet<byte[]> _owned = [];
    private readonly Dictionary<object, byte[]> _lent = [];

    /// <summary>How many arrays are out.</summary>
    public int Out { get; private set; }

    /// <summary>The kernel reads it until <see cref="Reclaim"/>: in a debug build nobody may return it before.</summary>
    [Conditional("DEBUG")]
    public void Lend(object borrower, ReadOnlyMemory<byte> memory)
    {
        Debug.Assert(MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> segment), "not an array");
        Debug.Assert(_owned.Contains(segment.Array!), "the kernel is given memory that is nobody's");
        Debug.Assert(_lent.TryAdd(borrower, segment.Array!), "two sends of one connection at once");
    }

    /// <summary>The kernel is done with what it was lent.</summary>
    [Conditional("DEBUG")]
    public void Reclaim(object borrower) => Debug.Assert(_lent.Remove(borrower), "a completion of a send that was not made");

    public override byte[] Rent(int minimumLength)
    {
        Out++;
        int bits = _free.BitsFor(minimumLength);
        byte[] rented;
        if (bits > FreeArrays.LargestBits)
        {
            rented = GC.AllocateUninitializedArray<byte>(minimumLength, pinned: true);
        }
        else if (_free.TryPop(bits, out byte[]? free))
        {
            rented = free;
            AssertUntouched(rented);
        }
        else
        {
            rented = GC.AllocateUninitializedArray<byte>(1 << bits, pinned: true);
        }

        Own(rented);
        _held += rented.Length;
        if (_held - _told >= ToldBytes)
        {
            Tell();
        }

        return rented;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        Out--;
        Disown(array);
        _held -= array.Length;
        if (_told - _held >= ToldBytes)
        {
            Tell();
        }

        _free.Push(array);
    }

    /// <summary>Bytes that are kept for the next to rent.</summary>
    public long KeptBytes => _free.KeptBytes;

    /// <summary>Leaves to the collector what nobody has needed since this was called last.</summary>
    public void DropIdle() => _free.DropIdle();

    /// <summary>The lane has ended: nothing of it counts any more.</summary>
    public void End()
    {
        _held = 0;
        Tell();
    }

    private void Tell()
    {
        long more = _held - _told;
        _told = _held;
        Budget.Add(more);
    }

    [Conditional("DEBUG")]
    private static void AssertUntouched(byte[] array) =>
        Debug.Assert(array.AsSpan().IndexOfAnyExcept(Spoilt) < 0, "written to after it was returned");

    [Conditional("DEBUG")]
    private void Own(byte[] array) => Debug.Assert(_owned.Add(array), "rented twice");

    [Conditional("DEBUG")]
    private void Disown(byte[] array)
    {
        Debug.Assert(_owned.Remove(array), "returned by somebody who does not own it");
        Debug.Assert(!_lent.ContainsValue(array), "returned while the kernel reads it");
        array.AsSpan().Fill(Spoilt);
    }
}
