namespace Doorbell.Lab.Impair.Streams;

/// <summary>What a direction waits for, or asks for.</summary>
internal enum DirectionState
{
    /// <summary>It waits: for a time, for bytes, or for the kernel to take what was given to it.</summary>
    Waiting,

    /// <summary>
    /// A fault holds it, perhaps for a time, and for as long as the receiver is there: somebody has to look whether it is.
    /// </summary>
    Held,

    /// <summary>The receiver is to be told the end. Said once.</summary>
    Ended,

    /// <summary>The receiver is to be reset, as the sender was.</summary>
    Reset,

    /// <summary>Both are to be reset, since so many bytes have passed, once the receiver has those.</summary>
    ResetAsked,

    /// <summary>Both are to be told an end, for the same reason.</summary>
    CloseAsked,
}

/// <summary>How far a direction is.</summary>
/// <param name="State">What it waits for, or asks for.</param>
/// <param name="Until">When it goes on, at the latest; <see cref="TimeSpan.MaxValue"/> if time alone brings nothing.</param>
internal readonly record struct DirectionProgress(DirectionState State, TimeSpan Until)
{
    public static DirectionProgress WaitingFor(TimeSpan until) => new(DirectionState.Waiting, until);

    public static DirectionProgress Of(DirectionState state) => new(state, TimeSpan.MaxValue);
}
