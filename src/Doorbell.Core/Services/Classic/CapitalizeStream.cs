namespace Doorbell;

/// <summary>Capitalises lines; knows nothing of a line's content but its end, since upper case needs no context.</summary>
internal sealed class CapitalizeStream(bool ascii) : StreamHandler
{
    /// <summary>Past this many bytes without an end of line, what is complete is answered and the rest follows.</summary>
    private const int LongLineBytes = 16 * 1024;
    private const int PieceBytes = 4 * 1024;

    /// <summary>Bytes at the front of the input known to hold no end of line, so that slow peers cost no second search.</summary>
    private int _searched;

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        int lastEnd = input[_searched..].LastIndexOfAny((byte)'\n', (byte)0);
        if (lastEnd < 0 && input.Length < LongLineBytes)
        {
            _searched = input.Length;
            return Step.More(0);
        }

        // An end of line also ends a truncated UTF-8 sequence before it; a long line may be cut inside one, which then waits.
        ReadOnlySpan<byte> ready = lastEnd < 0 ? input : input[..(_searched + lastEnd + 1)];
        _searched = 0;
        return Step.More(Answer(ready, turn, isFinal: lastEnd >= 0));
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        if (!rest.IsEmpty)
        {
            Write(rest, turn.Output, isFinal: true);
            turn.CountRequests(1);
        }

        return Next.Close;
    }

    /// <summary>Piece by piece, so that what is counted is still in the nearest cache when it is mapped.</summary>
    private int Answer(ReadOnlySpan<byte> ready, Turn turn, bool isFinal)
    {
        OutputBuffer output = turn.Output;
        _ = output.GetSpan(ready.Length);
        int done = 0;
        int ends = 0;
        while (true)
        {
            int length = Math.Min(ready.Length - done, PieceBytes);
            ReadOnlySpan<byte> piece = ready.Slice(done, length);
            bool isLast = done + length == ready.Length;
            ends += AsciiBlocks.CountEnds(piece);
            done += Write(piece, output, isFinal && isLast);
            if (isLast)
            {
                turn.CountRequests(ends);
                return done;
            }
        }
    }

    private int Write(ReadOnlySpan<byte> bytes, OutputBuffer output, bool isFinal)
    {
        if (!ascii)
        {
            return UpperCase.Unicode(bytes, output, isFinal);
        }

        UpperCase.Ascii(bytes, output);
        return bytes.Length;
    }
}

/// <summary>Capitalises each datagram whole; an empty one gets an empty one.</summary>
internal sealed class CapitalizeDatagrams(bool ascii) : DatagramHandler
{
    public override void OnDatagram(Datagram datagram, DatagramTurn turn)
    {
        if (ascii)
        {
            UpperCase.Ascii(datagram.Bytes, turn.Output);
        }
        else
        {
            UpperCase.Unicode(datagram.Bytes, turn.Output, isFinal: true);
        }

        turn.Reply();
        turn.CountRequests(1);
    }
}
