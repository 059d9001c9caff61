namespace Doorbell.Clients;

/// <summary>Lines as questions, and replies of several lines.</summary>
/// <param name="keepsCarriageReturn">Whether a CR at a reply's end is the reply's.</param>
/// <param name="isLast">Whether a line without its end is the last one of a reply.</param>
internal sealed class LinesAnswerFraming(bool keepsCarriageReturn, Func<ReadOnlySpan<byte>, bool> isLast) : LineQuestionFraming
{
    public override bool TryFind(ReadOnlySpan<byte> received, int searched, out Frame frame)
    {
        // The line that was not whole yet is looked at from its beginning.
        int start = received[..searched].LastIndexOf((byte)'\n') + 1;
        while (received[start..].IndexOf((byte)'\n') is >= 0 and int length)
        {
            ReadOnlySpan<byte> line = WithoutCarriageReturn(received.Slice(start, length));
            if (isLast(line))
            {
                frame = new Frame(0, start + (keepsCarriageReturn ? length : line.Length), start + length + 1);
                return true;
            }

            start += length + 1;
        }

        frame = default;
        return false;
    }

    /// <summary>Without its last line a reply is cut off, unless that line has lost its end alone.</summary>
    public override bool TryFindAtEnd(ReadOnlySpan<byte> received, out Frame frame)
    {
        ReadOnlySpan<byte> line = WithoutCarriageReturn(received[(received.LastIndexOf((byte)'\n') + 1)..]);
        frame = new Frame(0, received.Length, received.Length);
        return !line.IsEmpty && isLast(line);
    }

    /// <summary>All lines that are whole: the last one is not among them.</summary>
    public override ReadOnlySpan<byte> Piece(ReadOnlySpan<byte> received) => received[..(received.LastIndexOf((byte)'\n') + 1)];

    private static ReadOnlySpan<byte> WithoutCarriageReturn(ReadOnlySpan<byte> line) => line is [.., (byte)'\r'] ? line[..^1] : line;
}
