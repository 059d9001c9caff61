using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Doorbell;

/// <summary>
/// What is done to every byte of a text, as many at once as the processor's vectors hold: 16 in a native executable, which is built for
/// processors of any age, and 32 under the JIT where there is AVX2.
/// </summary>
internal static class AsciiBlocks
{
    /// <summary>Blocks that one test and one turn of the loop do for.</summary>
    private const int AtOnce = 4;

    /// <summary>A lane of a block counts so many ends and no more.</summary>
    private const int MaxInALane = 255;

    /// <summary>Writes a–z as A–Z up to the first block that has a byte beyond ASCII, or is not full; answers how far it came.</summary>
    /// <param name="text">Anything.</param>
    /// <param name="upper">At least as long.</param>
    public static int ToUpper(ReadOnlySpan<byte> text, Span<byte> upper)
    {
        ref byte from = ref MemoryMarshal.GetReference(text);
        ref byte to = ref MemoryMarshal.GetReference(upper[..text.Length]);
        int width = Vector<byte>.Count;
        int done = 0;
        for (; done <= text.Length - (AtOnce * width); done += AtOnce * width)
        {
            Vector<byte> first = Load(ref from, done);
            Vector<byte> second = Load(ref from, done + width);
            Vector<byte> third = Load(ref from, done + (2 * width));
            Vector<byte> fourth = Load(ref from, done + (3 * width));
            if (IsBeyondAscii(first | second | third | fourth))
            {
                break;
            }

            StoreUpper(first, ref to, done);
            StoreUpper(second, ref to, done + width);
            StoreUpper(third, ref to, done + (2 * width));
            StoreUpper(fourth, ref to, done + (3 * width));
        }

        for (; done <= text.Length - width; done += width)
        {
            Vector<byte> block = Load(ref from, done);
            if (IsBeyondAscii(block))
            {
                break;
            }

            StoreUpper(block, ref to, done);
        }

        return done;
    }

    /// <summary>How many bytes are LF or NUL.</summary>
    public static int CountEnds(ReadOnlySpan<byte> text)
    {
        int count = 0;
        while (text.Length >= Vector<byte>.Count)
        {
            int blocks = Math.Min(text.Length / Vector<byte>.Count, MaxInALane);
            count += CountEnds(ref MemoryMarshal.GetReference(text), blocks);
            text = text[(blocks * Vector<byte>.Count)..];
        }

        foreach (byte character in text)
        {
            count += character is (byte)'\n' or 0 ? 1 : 0;
        }

        return count;
    }

    private static int CountEnds(ref byte text, int blocks)
    {
        Vector<byte> counts = Vector<byte>.Zero;
        for (int i = 0; i < blocks; i++)
        {
            Vector<byte> block = Load(ref text, i * Vector<byte>.Count);

            // An end is a lane of ones, which is -1.
            counts -= Vector.Equals(block, new Vector<byte>((byte)'\n')) | Vector.Equals(block, Vector<byte>.Zero);
        }

        Vector.Widen(counts, out Vector<ushort> lower, out Vector<ushort> upper);
        return Vector.Sum(lower + upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<byte> Load(ref byte text, int place) =>
        Unsafe.ReadUnaligned<Vector<byte>>(ref Unsafe.Add(ref text, (nint)(uint)place));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBeyondAscii(Vector<byte> block) => Vector.LessThanAny(Vector.AsVectorSByte(block), Vector<sbyte>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreUpper(Vector<byte> block, ref byte to, int place)
    {
        // a to z become the 26 smallest of the signed bytes, so that one comparison finds them.
        Vector<sbyte> letter = Vector.AsVectorSByte(block + new Vector<byte>(0x80 - 'a'));
        Vector<sbyte> isLetter = Vector.LessThan(letter, new Vector<sbyte>(sbyte.MinValue + 26));
        Vector<byte> upper = block ^ (Vector.AsVectorByte(isLetter) & new Vector<byte>(0x20));
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, (nint)(uint)place), upper);
    }
}
