using System.Buffers;

namespace Doorbell;

/// <summary>Lines that end at LF, CRLF or NUL: textbook clients send any of them.</summary>
internal sealed class LineFraming : Framing
{
    public override bool EndCompletes => true;

    public override ReadOnlySpan<byte> Terminator => "\n"u8;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        int found = input[searched..].IndexOfAny((byte)'\n', (byte)0);
        if (found < 0)
        {
            frame = default;
            return false;
        }

        int end = searched + found;
        frame = FrameOf(end, carriageReturn: input[end] == (byte)'\n' && end > 0 && input[end - 1] == (byte)'\r');
        return true;
    }

    public override bool TryFind(in ReadOnlySequence<byte> input, out Frame frame)
    {
        SequenceReader<byte> reader = new(input);
        if (!reader.TryReadToAny(out ReadOnlySequence<byte> line, "\n\0"u8, advancePastDelimiter: false))
        {
            frame = default;
            return false;
        }

        int end = (int)line.Length;
        bool lineFeed = reader.TryPeek(out byte ended) && ended == (byte)'\n';
        frame = FrameOf(end, carriageReturn: lineFeed && end > 0 && line.Slice(end - 1).FirstSpan[0] == (byte)'\r');
        return true;
    }

    private static Frame FrameOf(int end, bool carriageReturn) => new(0, carriageReturn ? end - 1 : end, end + 1);
}
