using System.Buffers;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// A lane's own memory for what its sessions keep: arrays that never move, so that the kernel may read them while a send is under way,
/// and no locks, since one thread rents and returns. It keeps as many as were ever out at once, up to a bound.
/// </summary>
internal sealed class LanePool : ArrayPool<byte>
{
    /// <summary>What a debug build fills returned memory with: who still reads it sees it, and who still writes it is seen.</summary>
    public const byte Spoilt = 0xDD;

    private const int SmallestBits = 10;
    private const int LargestBits = 19;

    /// <summary>Bytes of each size that are kept for the next to rent; beyond it, and of larger ones, the collector takes them.</summary>
    private const int MaxKeptBytes = 4 * 1024 * 1024;

    private readonly Stack<byte[]>[] _free =
        [.. Enumerable.Range(SmallestBits, LargestBits - SmallestBits + 1).Select(static _ => new Stack<byte[]>())];

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
        int bits = Math.Max(BitOperations.Log2((uint)Math.Max(minimumLength, 1) - 1) + 1, SmallestBits);
        byte[] rented;
        if (bits > LargestBits)
        {
            rented = GC.AllocateUninitializedArray<byte>(minimumLength, pinned: true);
        }
        else if (_free[bits - SmallestBits].TryPop(out byte[]? free))
        {
            rented = free;
            AssertUntouched(rented);
        }
        else
        {
            rented = GC.AllocateUninitializedArray<byte>(1 << bits, pinned: true);
        }

        Own(rented);
        return rented;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        Out--;
        Disown(array);
        int bits = BitOperations.Log2((uint)array.Length);
        if (bits <= LargestBits && _free[bits - SmallestBits].Count < MaxKeptBytes >> bits)
        {
            _free[bits - SmallestBits].Push(array);
        }
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
