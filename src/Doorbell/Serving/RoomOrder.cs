namespace Doorbell.Serving;

/// <summary>
/// Tells one connection to make room for another. Its lane takes the order, or whoever gave it withdraws it, since the lane is late: never
/// both. So a lane that is late costs no second connection its place. Any thread may call any member.
/// </summary>
/// <param name="door">Where the connection came in.</param>
/// <param name="given">When.</param>
internal sealed class RoomOrder(Door door, TimeSpan given)
{
    private const int Given = 0;
    private const int Taken = 1;
    private const int Withdrawn = 2;

    private int _state;

    public Door Door { get; } = door;

    public TimeSpan GivenAt { get; } = given;

    /// <summary>The lane carries it out; false if it has been withdrawn.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Given) == Given;

    /// <summary>The lane will not carry it out; false if it has taken it.</summary>
    public bool TryWithdraw() => Interlocked.CompareExchange(ref _state, Withdrawn, Given) == Given;
}
