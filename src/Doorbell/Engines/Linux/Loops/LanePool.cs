using System.Buffers;
using System.Numerics;

namespace Doorbell;

/// <summary>
/// A lane's own memory for what its sessions keep: arrays that never move, so that the kernel may read them while a send is under way,
/// and no locks, since one thread rents and returns. It keeps as many as were ever out at once, up to a bound.
/// </summary>
internal sealed class LanePool : ArrayPool<byte>
{
    private const int SmallestBits = 10;
    private const int LargestBits = 17;

    /// <summary>Bytes of each size that are kept for the next to rent; beyond it, and of larger ones, the collector takes them.</summary>
    private const int MostKeptBytes = 4 * 1024 * 1024;

    private readonly Stack<byte[]>[] _free =
        [.. Enumerable.Range(SmallestBits, LargestBits - SmallestBits + 1).Select(static _ => new Stack<byte[]>())];

    /// <summary>How many arrays are out.</summary>
    public int Out { get; private set; }

    public override byte[] Rent(int minimumLength)
    {
        Out++;
        int bits = Math.Max(BitOperations.Log2((uint)Math.Max(minimumLength, 1) - 1) + 1, SmallestBits);
        if (bits > LargestBits)
        {
            return GC.AllocateUninitializedArray<byte>(minimumLength, pinned: true);
        }

        return _free[bits - SmallestBits].TryPop(out byte[]? array) ? array : GC.AllocateUninitializedArray<byte>(1 << bits, pinned: true);
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        Out--;
        int bits = BitOperations.Log2((uint)array.Length);
        if (bits <= LargestBits && _free[bits - SmallestBits].Count < MostKeptBytes >> bits)
        {
            _free[bits - SmallestBits].Push(array);
        }
    }
}
