using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>A pool that knows what is out, refuses a second return, and spoils what comes back, so that a use after it shows.</summary>
/// <param name="budget">In which the arrays count that are out.</param>
internal sealed class CountingPool(BufferBudget budget) : BudgetedPool(budget)
{
    private readonly HashSet<byte[]> _out = [];

    public long RentedBytes { get; private set; }

    public override byte[] Rent(int minimumLength)
    {
        byte[] array = new byte[minimumLength];
        _out.Add(array);
        RentedBytes += array.Length;
        Budget.Add(array.Length);
        return array;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        if (!_out.Remove(array))
        {
            throw new InvalidOperationException("An array was returned that is not out: returned twice, or never rented.");
        }

        RentedBytes -= array.Length;
        Budget.Add(-array.Length);
        array.AsSpan().Fill(0xee);
    }
}
