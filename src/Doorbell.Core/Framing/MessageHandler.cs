namespace Doorbell;

/// <summary>A stream of messages, each answered by a function. One message a step, so that the session's budgets hold.</summary>
internal sealed class MessageHandler(Framing framing, MessageFunction answer) : StreamHandler
{
    /// <summary>Bytes at the front of the input known to hold no end of a message, so that slow peers cost no second search.</summary>
    private int _searched;

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        if (!framing.TryFind(input, _searched, out Frame frame))
        {
            _searched = input.Length;
            return Step.More(0);
        }

        _searched = 0;
        int contentEnd = frame.Start + frame.Length;
        Answer(input[frame.Start..contentEnd], input[contentEnd..frame.Consumed], turn);
        return Step.More(frame.Consumed);
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        if (rest.IsEmpty)
        {
            return Next.Close;
        }

        if (!framing.EndCompletes)
        {
            return Next.Abort;
        }

        Answer(rest, [], turn);
        return Next.Close;
    }

    private void Answer(ReadOnlySpan<byte> message, ReadOnlySpan<byte> terminator, Turn turn)
    {
        OutputBuffer output = turn.Output;
        int header = framing.HeaderBytes;
        int place = output.Reserve(header);
        answer(message, output);
        framing.WriteHeader(output.Reserved(place, header), output.WrittenSince(place) - header);
        output.Write(terminator);
        turn.CountRequests(1);
    }
}

/// <summary>Datagrams frame themselves: each is one message.</summary>
internal sealed class MessageDatagramHandler(MessageFunction answer) : DatagramHandler
{
    public override void OnDatagram(Datagram datagram, DatagramTurn turn)
    {
        answer(datagram.Bytes, turn.Output);
        turn.Reply();
        turn.CountRequests(1);
    }
}
