namespace Doorbell;

/// <summary>Lines that end at LF, CRLF or NUL: textbook clients send any of them.</summary>
internal sealed class LineFraming : Framing
{
    public override bool EndCompletes => true;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        int found = input[searched..].IndexOfAny((byte)'\n', (byte)0);
        if (found < 0)
        {
            frame = default;
            return false;
        }

        int end = searched + found;
        bool carriageReturn = input[end] == (byte)'\n' && end > 0 && input[end - 1] == (byte)'\r';
        frame = new Frame(0, carriageReturn ? end - 1 : end, end + 1);
        return true;
    }

    public override void EndAnswer(OutputBuffer output, int place, ReadOnlySpan<byte> terminator) => output.Write(terminator);
}
