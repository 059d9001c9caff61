using System.Buffers;
using System.Text;

namespace Doorbell;

/// <summary>Upper case of UTF-8 text, from bytes to bytes. Nothing is an error: what isn't text passes unchanged.</summary>
public static class UpperCase
{
    /// <summary>The result is at most so many times as long, in bytes: U+0390 takes 2 and its upper case 6.</summary>
    public const int MaxGrowth = 3;

    /// <summary>Text beyond ASCII is mapped in pieces of so many bytes, to bound the room asked for at once.</summary>
    private const int PieceBytes = 1024;

    /// <summary>So many ASCII bytes in a row end a piece of other text: from here the vectorised path pays.</summary>
    private const int AsciiRun = 16;

    private const int MaxMappingBytes = 12;

    /// <summary>
    /// Writes Unicode's full default upper case (Unicode section 3.13, toUppercase with SpecialCasing's unconditional part; what
    /// Java calls toUpperCase(Locale.ROOT)): ß becomes SS. A byte that is no part of valid UTF-8 (RFC 3629) passes unchanged.
    /// Upper case needs no context, so text may be cut anywhere.
    /// </summary>
    /// <param name="utf8">Text, or anything.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="isFinal">Whether nothing follows: then a truncated sequence at the end passes unchanged too.</param>
    /// <returns>Bytes consumed: all, or up to 3 fewer where the end is a sequence that what follows may complete.</returns>
    public static int Unicode(ReadOnlySpan<byte> utf8, IBufferWriter<byte> output, bool isFinal)
    {
        int consumed = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = utf8[consumed..];
            if (rest.IsEmpty)
            {
                return consumed;
            }

            Span<byte> upper = output.GetSpan(rest.Length);
            int ascii = AsciiBlocks.ToUpper(rest, upper);
            while (ascii < rest.Length && rest[ascii] < 0x80)
            {
                upper[ascii] = AsciiUpper(rest[ascii]);
                ascii++;
            }

            output.Advance(ascii);
            consumed += ascii;
            if (ascii == rest.Length)
            {
                return consumed;
            }

            int piece = MapPiece(utf8[consumed..], output, isFinal);
            if (piece == 0)
            {
                return consumed;
            }

            consumed += piece;
        }
    }

    /// <summary>Writes the same bytes with a–z as A–Z, as C's toupper(3) does in the C locale.</summary>
    /// <param name="bytes">Anything.</param>
    /// <param name="output">Where the result goes: as many bytes.</param>
    public static void Ascii(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        Span<byte> upper = output.GetSpan(bytes.Length)[..bytes.Length];
        int done = 0;
        while (done < bytes.Length)
        {
            // It stops at a byte beyond ASCII, which passes unchanged here.
            done += AsciiBlocks.ToUpper(bytes[done..], upper[done..]);
            for (int end = Math.Min(done + AsciiRun, bytes.Length); done < end; done++)
            {
                upper[done] = AsciiUpper(bytes[done]);
            }
        }

        output.Advance(bytes.Length);
    }

    /// <summary>Maps scalar by scalar, up to a piece's length or until the text is ASCII again; 0 if it can't be told yet.</summary>
    private static int MapPiece(ReadOnlySpan<byte> utf8, IBufferWriter<byte> output, bool isFinal)
    {
        int end = Math.Min(utf8.Length, PieceBytes);
        Span<byte> room = output.GetSpan((end * MaxGrowth) + MaxMappingBytes);
        int read = 0;
        int written = 0;
        int asciiInARow = 0;
        while (read < end && asciiInARow < AsciiRun)
        {
            byte first = utf8[read];
            if (first < 0x80)
            {
                room[written++] = AsciiUpper(first);
                read++;
                asciiInARow++;
                continue;
            }

            asciiInARow = 0;
            OperationStatus status = Rune.DecodeFromUtf8(utf8[read..], out Rune scalar, out int length);
            if (status == OperationStatus.Done)
            {
                written += Map(scalar.Value, utf8.Slice(read, length), room[written..]);
                read += length;
            }
            else if (status == OperationStatus.NeedMoreData && !isFinal)
            {
                break;
            }
            else
            {
                room[written++] = first;
                read++;
            }
        }

        output.Advance(written);
        return read;
    }

    private static byte AsciiUpper(byte character) => (byte)(character - 'a') < 26 ? (byte)(character ^ 0x20) : character;

    private static int Map(int scalar, ReadOnlySpan<byte> encoded, Span<byte> room)
    {
        int mapping = 0;
        if (scalar <= UpperCaseTable.LastMapped)
        {
            int block = UpperCaseTable.Stage1[scalar >> UpperCaseTable.BlockBits];
            int within = scalar & ((1 << UpperCaseTable.BlockBits) - 1);
            mapping = UpperCaseTable.Stage2[(block << UpperCaseTable.BlockBits) | within];
        }

        if (mapping == 0)
        {
            encoded.CopyTo(room);
            return encoded.Length;
        }

        ReadOnlySpan<int> upper = UpperCaseTable.Mappings.Slice(3 * mapping, 3);
        if (upper[1] == 0)
        {
            return new Rune(scalar + upper[0]).EncodeToUtf8(room);
        }

        int written = new Rune(upper[0]).EncodeToUtf8(room);
        written += new Rune(upper[1]).EncodeToUtf8(room[written..]);
        return upper[2] == 0 ? written : written + new Rune(upper[2]).EncodeToUtf8(room[written..]);
    }
}
