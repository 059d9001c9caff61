using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Doorbell.Serving;

/// <summary>
/// Arrays that a pool keeps for the next to rent, by their sizes, which are powers of two: so much of each size, and the collector takes
/// the rest. One user at a time.
/// </summary>
/// <param name="smallestBits">Which power of two the smallest arrays are.</param>
internal sealed class FreeArrays(int smallestBits)
{
    /// <summary>Which power of two the largest arrays are that are kept: half a megabyte.</summary>
    public const int LargestBits = 19;

    /// <summary>Bytes of each size that are kept.</summary>
    private const int MaxKeptBytes = 4 * 1024 * 1024;

    private readonly Stack<byte[]>[] _free =
        [.. Enumerable.Range(smallestBits, LargestBits - smallestBits + 1).Select(static _ => new Stack<byte[]>())];

    /// <summary>Of each size, how many have lain here all the time since they were looked at last.</summary>
    private readonly int[] _idle = new int[LargestBits - smallestBits + 1];

    /// <summary>Bytes that are kept.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>The power of two that holds so many bytes.</summary>
    public int BitsFor(int bytes) => Math.Max(BitOperations.Log2((uint)Math.Max(bytes, 1) - 1) + 1, smallestBits);

    /// <summary>Takes an array of a size that is kept.</summary>
    public bool TryPop(int bits, [NotNullWhen(true)] out byte[]? array)
    {
        Stack<byte[]> free = _free[bits - smallestBits];
        if (!free.TryPop(out array))
        {
            return false;
        }

        KeptBytes -= array.Length;
        _idle[bits - smallestBits] = Math.Min(_idle[bits - smallestBits], free.Count);
        return true;
    }

    /// <summary>Keeps an array, if its size is kept and there is not enough of it.</summary>
    public void Push(byte[] array)
    {
        int bits = BitOperations.Log2((uint)array.Length);
        if (bits <= LargestBits && _free[bits - smallestBits].Count < MaxKeptBytes >> bits)
        {
            _free[bits - smallestBits].Push(array);
            KeptBytes += array.Length;
        }
    }

    /// <summary>Leaves to the collector what nobody has needed since this was called last.</summary>
    public void DropIdle()
    {
        for (int size = 0; size < _free.Length; size++)
        {
            for (int idle = _idle[size]; idle > 0; idle--)
            {
                KeptBytes -= _free[size].Pop().Length;
            }

            _free[size].TrimExcess();
            _idle[size] = _free[size].Count;
        }
    }
}
