namespace Doorbell.Sessions;

/// <summary>How a session makes room for another connection, at the limit of the server's.</summary>
internal static class MakingRoom
{
    /// <summary>For how long the peer has been at rest; zero if it is not, or if the handler works and the peer has taken all.</summary>
    public static TimeSpan RestAt(this ref HandlerSide side, TimeSpan now) =>
        side.State.Phase is not (SessionPhase.Open or SessionPhase.Closing)
            || (side.State is { IsOpen: true, IsParked: true } && side.Output.Pending == 0)
            ? TimeSpan.Zero
            : side.Deadlines.RestAt(now);

    /// <summary>
    /// Makes room for another connection, unless the peer has made progress since it was chosen, or the handler works for it. Where the
    /// peer leaves output untaken it is the peer who is slow, whatever the handler does.
    /// </summary>
    /// <returns>Whether it does.</returns>
    public static bool TryMakeRoom(this ref HandlerSide side, Turn turn)
    {
        if (side.State.Phase is not (SessionPhase.Open or SessionPhase.Closing) || side.Deadlines.RestAt(turn.Now) == TimeSpan.Zero)
        {
            return false;
        }

        if (side.Pending == 0 && side.State.IsOpen && (side.State.IsParked || (side.HandlerIsOpen && !side.IsInterruptible())))
        {
            side.Deadlines.Works(turn.Now);
            return false;
        }

        if (side.State.Phase == SessionPhase.Closing || side.ToSend > 0)
        {
            side.Terminate(CloseReason.MadeRoom);
        }
        else if (side.State.IsOpen)
        {
            side.BeginClose(CloseReason.MadeRoom);
        }

        side.Complete(turn);
        return true;
    }
}
