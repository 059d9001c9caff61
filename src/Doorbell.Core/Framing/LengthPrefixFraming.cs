using System.Buffers.Binary;

namespace Doorbell;

/// <summary>Messages that follow their length, a big-endian number of 1, 2 or 4 bytes.</summary>
internal sealed class LengthPrefixFraming : Framing
{
    private readonly int _prefix;

    public LengthPrefixFraming(int prefixBytes)
    {
        if (prefixBytes is not (1 or 2 or 4))
        {
            throw new ArgumentOutOfRangeException(nameof(prefixBytes), prefixBytes, "A length prefix has 1, 2 or 4 bytes.");
        }

        _prefix = prefixBytes;
    }

    public override bool EndCompletes => false;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        frame = default;
        if (input.Length < _prefix)
        {
            return false;
        }

        uint length = _prefix switch
        {
            1 => input[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(input),
            _ => BinaryPrimitives.ReadUInt32BigEndian(input),
        };

        // A length past int's range can never be held, so it is never whole: the message limit ends the connection.
        if (length > (uint)(input.Length - _prefix))
        {
            return false;
        }

        frame = new Frame(_prefix, (int)length, _prefix + (int)length);
        return true;
    }

    public override int BeginAnswer(OutputBuffer output) => output.Reserve(_prefix);

    public override void EndAnswer(OutputBuffer output, int place, ReadOnlySpan<byte> terminator)
    {
        int length = output.WrittenSince(place) - _prefix;
        if (_prefix < 4 && length >= 1 << (8 * _prefix))
        {
            throw new InvalidOperationException($"An answer of {length} bytes can't be framed by a length of {_prefix} bytes.");
        }

        Span<byte> bigEndian = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bigEndian, length);
        output.Patch(place, bigEndian[^_prefix..]);
    }
}
