namespace Doorbell;

/// <summary>One connection to a broker: what it receives is told to the others, what they say is sent to it.</summary>
internal sealed class BrokerMember(BrokerMembers members) : StreamHandler
{
    private BrokerInbox? _inbox;

    public override bool IsIdle => _inbox is not { IsEmpty: false };

    /// <summary>What it sends does not answer what it receives. Members that send before they read would wait for each other.</summary>
    internal override bool ReceivesWhileSending => true;

    public override Next OnOpen(Turn turn)
    {
        _inbox = new BrokerInbox(turn.Bell, turn.HeldMemory, turn.Output.Limit, members.Pieces);
        members.Add(_inbox);
        return Next.Stay;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        members.Tell(_inbox!, input);
        return Step.More(input.Length);
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        _inbox!.MoveTo(turn.Output);
        return Next.Close;
    }

    public override Next OnRing(Turn turn)
    {
        _inbox!.MoveTo(turn.Output);
        return Next.Stay;
    }

    public override void OnClosed(CloseReason reason)
    {
        if (_inbox is not null)
        {
            members.Remove(_inbox);
            _inbox.Clear();
        }
    }
}
