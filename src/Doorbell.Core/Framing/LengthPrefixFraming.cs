using System.Buffers;
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

    public override int HeaderBytes => _prefix;

    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        frame = default;
        return input.Length >= _prefix && Fits(input, input.Length, out frame);
    }

    public override bool TryFind(in ReadOnlySequence<byte> input, out Frame frame)
    {
        frame = default;
        if (input.Length < _prefix)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[sizeof(uint)];
        input.Slice(0, _prefix).CopyTo(prefix);
        return Fits(prefix, input.Length, out frame);
    }

    public override void WriteHeader(Span<byte> header, int length)
    {
        if (_prefix < sizeof(uint) && length >= 1 << (8 * _prefix))
        {
            throw new InvalidOperationException($"A message of {length} bytes can't be framed by a length of {_prefix} bytes.");
        }

        Span<byte> bigEndian = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteInt32BigEndian(bigEndian, length);
        bigEndian[^_prefix..].CopyTo(header);
    }

    private bool Fits(ReadOnlySpan<byte> prefix, long input, out Frame frame)
    {
        uint length = _prefix switch
        {
            1 => prefix[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(prefix),
            _ => BinaryPrimitives.ReadUInt32BigEndian(prefix),
        };

        // No input is longer than int's range, so a length past it is never whole: the message limit ends the connection.
        bool whole = length <= Math.Min(input, int.MaxValue) - _prefix;
        frame = whole ? new Frame(_prefix, (int)length, _prefix + (int)length) : default;
        return whole;
    }
}
