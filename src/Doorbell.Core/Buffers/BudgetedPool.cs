using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>
/// Where sessions rent what they keep, counted: what is out is held, by the length of the arrays. So a session that owns no array costs
/// nothing to count, and one that does costs one addition.
/// </summary>
/// <param name="budget">In which the arrays count that are out.</param>
public abstract class BudgetedPool(BufferBudget budget) : ArrayPool<byte>
{
    /// <summary>In which the arrays count that are out.</summary>
    public BufferBudget Budget { get; } = budget;
}
