using System.Buffers.Binary;

namespace Doorbell.Coap.Codec;

/// <summary>The options of a message in the order of their numbers (RFC 7252 section 3.1); lent as the message is.</summary>
internal readonly ref struct CoapOptions
{
    private const int ByteExtension = 13;
    private const int ShortExtension = 14;
    private const int Reserved = 15;
    private readonly ReadOnlySpan<byte> _bytes;

    /// <param name="bytes">Checked: without the payload's marker.</param>
    internal CoapOptions(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>The first option of this number.</summary>
    /// <param name="number">Which.</param>
    /// <param name="option">It, or an empty one.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGet(int number, out CoapOption option)
    {
        foreach (CoapOption each in this)
        {
            if (each.Number >= number)
            {
                option = each.Number == number ? each : default;
                return each.Number == number;
            }
        }

        option = default;
        return false;
    }

    /// <summary>Goes through them.</summary>
    public Enumerator GetEnumerator() => new(_bytes);

    /// <summary>Goes past one option, whose value is the last bytes of it.</summary>
    internal static CoapFormatError TryReadNext(ref ReadOnlySpan<byte> bytes, ref int number, out int length)
    {
        int delta = bytes[0] >> 4;
        length = bytes[0] & 15;
        if (delta == Reserved || length == Reserved)
        {
            return CoapFormatError.ReservedOptionHeader;
        }

        ReadOnlySpan<byte> rest = bytes[1..];
        if (!TryExtend(ref delta, ref rest) || !TryExtend(ref length, ref rest) || length > rest.Length)
        {
            return CoapFormatError.OptionCut;
        }

        if (number + delta > ushort.MaxValue)
        {
            return CoapFormatError.OptionNumberTooLarge;
        }

        number += delta;
        bytes = rest[length..];
        return CoapFormatError.None;
    }

    private static bool TryExtend(ref int nibble, ref ReadOnlySpan<byte> rest)
    {
        int bytes = nibble - ByteExtension + 1;
        if (bytes <= 0)
        {
            return true;
        }

        if (rest.Length < bytes)
        {
            return false;
        }

        nibble = nibble == ShortExtension ? BinaryPrimitives.ReadUInt16BigEndian(rest) + 269 : rest[0] + ByteExtension;
        rest = rest[bytes..];
        return true;
    }

    /// <summary>Goes through the options.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;
        private int _number;

        internal Enumerator(ReadOnlySpan<byte> bytes) => _rest = bytes;

        /// <summary>The option reached.</summary>
        public CoapOption Current { get; private set; }

        /// <summary>Goes to the next.</summary>
        /// <returns>Whether there is one.</returns>
        public bool MoveNext()
        {
            ReadOnlySpan<byte> before = _rest;
            if (before.IsEmpty || TryReadNext(ref _rest, ref _number, out int length) != CoapFormatError.None)
            {
                return false;
            }

            Current = new CoapOption(_number, before[..^_rest.Length][^length..]);
            return true;
        }
    }
}
