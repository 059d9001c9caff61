using System.Buffers;

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

    public override ReadOnlySpan<byte> Terminator => _delimiter;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        // The delimiter may have begun in what was searched already.
        int from = Math.Max(0, searched - (_delimiter.Length - 1));
        int found = input[from..].IndexOf(_delimiter);
        frame = found < 0 ? default : new Frame(0, from + found, from + found + _delimiter.Length);
        return found >= 0;
    }

    public override bool TryFind(in ReadOnlySequence<byte> input, out Frame frame)
    {
        SequenceReader<byte> reader = new(input);
        bool found = reader.TryReadTo(out ReadOnlySequence<byte> message, _delimiter, advancePastDelimiter: true);
        frame = found ? new Frame(0, (int)message.Length, (int)reader.Consumed) : default;
        return found;
    }
}
