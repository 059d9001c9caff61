using System.Buffers;

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

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame) => Fits(input.Length, out frame);

    public override bool TryFind(in ReadOnlySequence<byte> input, out Frame frame) => Fits(input.Length, out frame);

    /// <summary>No answer at all is one too: then nothing is written.</summary>
    public override void WriteHeader(Span<byte> header, int length)
    {
        if (length != _length && length != 0)
        {
            throw new InvalidOperationException($"A message of {length} bytes can't be framed by a fixed length of {_length}.");
        }
    }

    private bool Fits(long input, out Frame frame)
    {
        frame = new Frame(0, _length, _length);
        return input >= _length;
    }
}
