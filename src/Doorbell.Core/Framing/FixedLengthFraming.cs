namespace Doorbell;

/// <summary>Messages of one length; answers too.</summary>
internal sealed class FixedLengthFraming : Framing
{
    private readonly int _length;

    public FixedLengthFraming(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        _length = length;
    }

    public override bool EndCompletes => false;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        frame = new Frame(0, _length, _length);
        return input.Length >= _length;
    }

    public override void EndAnswer(OutputBuffer output, int place, ReadOnlySpan<byte> terminator)
    {
        int written = output.WrittenSince(place);
        if (written != _length && written != 0)
        {
            throw new InvalidOperationException($"An answer of {written} bytes can't be framed by a fixed length of {_length}.");
        }
    }
}
