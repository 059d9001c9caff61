namespace Doorbell.Sessions;

/// <summary>What a session holds of its server's <see cref="BufferBudget"/>, and how it gives that back.</summary>
internal static class GivingBack
{
    /// <summary>The length of all arrays that it has rented, and what its handler says that it keeps besides. Any thread may ask.</summary>
    public static long HeldBytes(this in HandlerSide side) =>
        side.Output.HeldBytes + side.Rest.HeldBytes + (side.Layers?.HeldBytes ?? 0) + (side.Memory?.Bytes ?? 0);

    /// <summary>Where the handler says what it keeps.</summary>
    public static HeldMemory MemoryOfHandler(this ref HandlerSide side) =>
        side.Memory ??= new HeldMemory((side.Output.Pool as BudgetedPool)?.Budget);

    /// <summary>Resets the connection, unless it has begun to give back since it was chosen: its peer takes what is sent.</summary>
    /// <param name="side">The session's.</param>
    /// <param name="held">So much it held when it was chosen.</param>
    /// <param name="turn">This one.</param>
    /// <returns>Whether it does.</returns>
    public static bool TryGiveBack(this ref HandlerSide side, long held, Turn turn)
    {
        if (side.State.Phase is not (SessionPhase.Open or SessionPhase.Closing) || side.HeldBytes() < held)
        {
            return false;
        }

        side.Terminate(CloseReason.BufferBudgetExceeded);
        side.Complete(turn);
        return true;
    }
}
