namespace Doorbell.Serving;

/// <summary>A connection as <see cref="OpenConnections"/> has it: one of a session's on a lane, or one that a process serves.</summary>
internal interface IOpenConnection
{
    /// <summary>Where it stands in the list; the list's own.</summary>
    int ListIndex { get; set; }

    /// <summary>
    /// What it is at. Any thread may ask while the connection is in the list, and hears of this moment or of one just before it: each value
    /// is read by itself, and the lane is not waited for.
    /// </summary>
    /// <param name="now">On the monotonic scale.</param>
    ConnectionSnapshot Read(TimeSpan now);

    /// <summary>Where it came in; null if we opened it.</summary>
    Door? At { get; }

    /// <summary>
    /// For how long its peer has been at rest; zero if it is not, or if that is not known. As <see cref="Read"/>, any thread may ask.
    /// </summary>
    /// <param name="now">On the monotonic scale.</param>
    TimeSpan RestAt(TimeSpan now);

    /// <summary>Who has not answered this order is asked no other. Set by <see cref="AskToMakeRoom"/>; its lane sets it to null.</summary>
    RoomOrder? RoomOrder { get; }

    /// <summary>
    /// Tells the lane to close it for another one, if its peer is still at rest then; otherwise the lane says
    /// <see cref="Admission.RoomNotMade"/>. Any thread may ask while the connection is in the list; returns at once.
    /// </summary>
    void AskToMakeRoom(RoomOrder order);

    /// <summary>The memory that it holds for output and input. As <see cref="Read"/>, any thread may ask.</summary>
    long HeldBytes { get; }

    /// <summary>
    /// Tells the lane to reset it, unless it holds less by then. Any thread may ask while the connection is in the list; returns at once.
    /// </summary>
    /// <param name="held">What it holds now.</param>
    void AskToGiveBack(long held);

    /// <summary>Tells the lane to close it. Any thread may ask while the connection is in the list; returns at once.</summary>
    void AskToClose(CloseMode how);
}
