using Doorbell.Sessions;

namespace Doorbell.Serving;

/// <summary>
/// The memory of sessions whose lanes are threads or tasks. Small arrays come from .NET's shared pool. Large ones do not: it would keep
/// hundreds of megabytes for a minute and more when a crowd has left. Any thread may use it.
/// </summary>
/// <param name="budget">In which the arrays count that are out.</param>
internal sealed class SharedPool(BufferBudget budget) : BudgetedPool(budget)
{
    /// <summary>Which power of two the smallest large arrays are.</summary>
    private const int LargeBits = 16;

    private readonly Lock _lock = new();
    private readonly FreeArrays _large = new(LargeBits);

    /// <summary>The memory of a client, whose connections are few: without a bound.</summary>
    public static SharedPool Unbounded() => new(new BufferBudget(long.MaxValue, static () => { }));

    public override byte[] Rent(int minimumLength)
    {
        byte[] rented = minimumLength < 1 << LargeBits ? Shared.Rent(minimumLength) : RentLarge(minimumLength);
        Budget.Add(rented.Length);
        return rented;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        Budget.Add(-array.Length);
        if (array.Length < 1 << LargeBits)
        {
            Shared.Return(array, clearArray);
            return;
        }

        lock (_lock)
        {
            _large.Push(array);
        }
    }

    /// <summary>Leaves to the collector what nobody has needed since this was called last.</summary>
    public void DropIdle()
    {
        lock (_lock)
        {
            _large.DropIdle();
        }
    }

    private byte[] RentLarge(int minimumLength)
    {
        int bits = _large.BitsFor(minimumLength);
        lock (_lock)
        {
            if (bits <= FreeArrays.LargestBits && _large.TryPop(bits, out byte[]? free))
            {
                return free;
            }
        }

        return GC.AllocateUninitializedArray<byte>(bits <= FreeArrays.LargestBits ? 1 << bits : minimumLength);
    }
}
