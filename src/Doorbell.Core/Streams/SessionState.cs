namespace Doorbell.Sessions;

/// <summary>Where a session is in its life.</summary>
internal enum SessionPhase : byte
{
    /// <summary>Made, and not opened yet.</summary>
    New,

    /// <summary>The handler is asked and answers.</summary>
    Open,

    /// <summary>The handler has nothing more to say: what is pending is sent, then a FIN; then the peer's end is awaited.</summary>
    Closing,

    /// <summary>The lane is to reset the connection.</summary>
    Aborting,

    /// <summary>The transport has failed: only the descriptor is left to close.</summary>
    Gone,

    /// <summary>The lane has closed the connection: no call may follow.</summary>
    Closed,
}

/// <summary>What has become of our half of the connection.</summary>
internal enum SendingSide : byte
{
    /// <summary>The handler may write.</summary>
    Open,

    /// <summary>The handler has said <see cref="Next.Finish"/>: what is pending is sent, then a FIN.</summary>
    Finishing,

    /// <summary>The lane has sent our FIN.</summary>
    Finished,
}

/// <summary>What has become of the peer's half of the connection.</summary>
internal enum ReceivingSide : byte
{
    /// <summary>The peer may send.</summary>
    Open,

    /// <summary>The peer's FIN has come, and the handler has not been told of it yet.</summary>
    Ended,

    /// <summary>The peer's FIN has come, and the handler knows.</summary>
    EndTold,

    /// <summary>A layer has heard its peer's end, and the handler knows; the transport's FIN has not come yet.</summary>
    EndToldFirst,
}

/// <summary>Whether the handler takes input.</summary>
internal enum HandlerState : byte
{
    /// <summary>It is offered what comes.</summary>
    Reading,

    /// <summary>It has said <see cref="Next.Park"/>: it is offered nothing until it says <see cref="Next.More"/>.</summary>
    Parked,
}

/// <summary>Whether the handler has been offered the input that the session holds.</summary>
internal enum InputState : byte
{
    /// <summary>All of it, as things stand now: only more bytes can change the handler's answer.</summary>
    Offered,

    /// <summary>Not all: the handler was parked, or too much output was pending.</summary>
    Stalled,

    /// <summary>Not all: the budget of steps is spent, so that the lane's other sessions come first (<see cref="Want.Yield"/>).</summary>
    Yielding,
}

/// <summary>
/// The state of a session as a table: five columns, which move apart from each other. A column moves only along its arrows, and a
/// session that would move otherwise is at fault and ends.
/// </summary>
/// <remarks>
/// <code>
/// column     begins with  arrows
/// Phase      New          New → Open; Open → Closing; New, Open, Closing → Aborting, Gone; any → Closed
/// Sending    Open         Open → Finishing (the handler finishes); Open (while closing), Finishing → Finished (the lane has half-closed)
/// Receiving  Open         Open → Ended, EndToldFirst → EndTold (the lane has received the end);
///                            Ended → EndTold, Open → EndToldFirst (the handler has been told)
/// Handler    Reading      Reading ⇄ Parked, as the handler says
/// Input      Offered      Offered, Stalled → any; Yielding → Stalled (the lane continues), Offered or Yielding (more bytes came)
/// </code>
/// What a lane may report, and when:
/// <code>
/// Opened       Phase is New
/// Received     Phase is Open to Gone, and Receiving is Open or EndToldFirst
/// ReceivedEnd  Phase is Open to Gone, and Receiving is Open or EndToldFirst
/// Sent         Phase is Open to Gone, of at most as many bytes as were outgoing
/// Finished     Phase is Open to Gone, and Sending is Finishing, or Open while Phase is not Open
/// all others   Phase is Open to Gone; Fail and Closed also when it is New
/// </code>
/// Aborting and Gone take late reports, since an operation of the kernel's may still have been under way.
/// </remarks>
internal struct SessionState
{
    public SessionPhase Phase { get; private set; }

    public SendingSide Sending { get; private set; }

    public ReceivingSide Receiving { get; private set; }

    public HandlerState Handler { get; set; }

    public InputState Input { get; set; }

    /// <summary>Whether anything has come from the peer: a byte, or its end.</summary>
    public bool IsHeard { get; set; }

    /// <summary>Whether the server drains.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Whether the session has been given, since the drain began, what the kernel held.</summary>
    public bool IsInputTaken { get; set; }

    /// <summary>Whether the handler has taken its bell.</summary>
    public bool IsBellTaken { get; set; }

    public readonly bool IsOpen => Phase == SessionPhase.Open;

    public readonly bool IsParked => Handler == HandlerState.Parked;

    /// <summary>Whether the lane may report what happened: the session is opened and not closed.</summary>
    public readonly bool IsLive => Phase - SessionPhase.Open <= SessionPhase.Gone - SessionPhase.Open;

    /// <summary>Whether the peer may still send.</summary>
    public readonly bool PeerMaySend => Receiving is ReceivingSide.Open or ReceivingSide.EndToldFirst;

    /// <summary>Whether the handler knows that its input has ended.</summary>
    public readonly bool EndIsTold => Receiving >= ReceivingSide.EndTold;

    /// <summary>Whether a FIN is to be sent once nothing is pending.</summary>
    public readonly bool WantsFinish => Sending == SendingSide.Finishing
        || (Sending == SendingSide.Open && Phase == SessionPhase.Closing);

    /// <summary>Whether the lane may report that it has half-closed.</summary>
    public readonly bool MayHaveFinished => WantsFinish || (Sending == SendingSide.Open && Phase > SessionPhase.Closing);

    /// <summary>Moves to another phase.</summary>
    /// <returns>False, and nothing moves, if that phase may not follow.</returns>
    public bool TryMoveTo(SessionPhase next)
    {
        if ((PhasesAfter(Phase) & Bit(next)) == 0)
        {
            return false;
        }

        Phase = next;
        return true;
    }

    /// <summary>The handler finishes; nothing changes if it has already.</summary>
    public void BeginFinish() => Sending = Sending == SendingSide.Open ? SendingSide.Finishing : Sending;

    /// <summary>The lane has half-closed.</summary>
    public void Finish() => Sending = SendingSide.Finished;

    /// <summary>The peer's FIN has come.</summary>
    public void EndReceiving() =>
        Receiving = Receiving == ReceivingSide.EndToldFirst ? ReceivingSide.EndTold : ReceivingSide.Ended;

    /// <summary>The handler is told of the peer's end.</summary>
    public void TellEnd() =>
        Receiving = Receiving == ReceivingSide.Open ? ReceivingSide.EndToldFirst : ReceivingSide.EndTold;

    /// <summary>The phases that may follow one, as bits.</summary>
    private static int PhasesAfter(SessionPhase phase) => phase switch
    {
        SessionPhase.New => Bit(SessionPhase.Open) | Bit(SessionPhase.Aborting) | Bit(SessionPhase.Gone) | Bit(SessionPhase.Closed),
        SessionPhase.Open => Bit(SessionPhase.Closing) | Bit(SessionPhase.Aborting) | Bit(SessionPhase.Gone) | Bit(SessionPhase.Closed),
        SessionPhase.Closing => Bit(SessionPhase.Aborting) | Bit(SessionPhase.Gone) | Bit(SessionPhase.Closed),
        SessionPhase.Aborting or SessionPhase.Gone => Bit(SessionPhase.Closed),
        _ => 0,
    };

    private static int Bit(SessionPhase phase) => 1 << (int)phase;
}
