namespace Doorbell;

/// <summary>Messages that end at a given sequence of bytes.</summary>
internal sealed class DelimiterFraming : Framing
{
    private readonly byte[] _delimiter;

    public DelimiterFraming(byte[] delimiter)
    {
        if (delimiter.Length == 0)
        {
            throw new ArgumentException("A delimiter needs at least one byte.", nameof(delimiter));
        }

        _delimiter = delimiter;
    }

    public override bool EndCompletes => true;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        // The delimiter may have begun in what was searched already.
        int from = Math.Max(0, searched - (_delimiter.Length - 1));
        int found = input[from..].IndexOf(_delimiter);
        frame = found < 0 ? default : new Frame(0, from + found, from + found + _delimiter.Length);
        return found >= 0;
    }

    public override void EndAnswer(OutputBuffer output, int place, ReadOnlySpan<byte> terminator) => output.Write(terminator);
}
