using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Doorbell;

/// <summary>
/// What is done to every byte of a text, 32 or 16 at once. Native executables are built for processors of any age: there the widest
/// registers are used where a question at run time allows it, which .NET's own vectorised calls do not ask.
/// </summary>
internal static class AsciiBlocks
{
    /// <summary>Writes a–z as A–Z up to the first block that has a byte beyond ASCII, or is not full; answers how far it came.</summary>
    /// <param name="text">Anything.</param>
    /// <param name="upper">At least as long.</param>
    public static int ToUpper(ReadOnlySpan<byte> text, Span<byte> upper)
    {
        ref byte from = ref MemoryMarshal.GetReference(text);
        ref byte to = ref MemoryMarshal.GetReference(upper[..text.Length]);
        int done = 0;
        if (Avx2.IsSupported)
        {
            for (; done <= text.Length - Vector256<byte>.Count; done += Vector256<byte>.Count)
            {
                Vector256<byte> block = Unsafe.ReadUnaligned<Vector256<byte>>(ref Unsafe.Add(ref from, done));
                if (Avx2.MoveMask(block) != 0)
                {
                    return done;
                }

                Vector256<byte> offset = Avx2.Subtract(block, Vector256.Create((byte)'a'));
                Vector256<byte> isLetter = Avx2.CompareEqual(Avx2.Min(offset, Vector256.Create((byte)25)), offset);
                block = Avx2.Xor(block, Avx2.And(isLetter, Vector256.Create((byte)0x20)));
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, done), block);
            }
        }

        for (; done <= text.Length - Vector128<byte>.Count; done += Vector128<byte>.Count)
        {
            Vector128<byte> block = Unsafe.ReadUnaligned<Vector128<byte>>(ref Unsafe.Add(ref from, done));
            if ((block & Vector128.Create((byte)0x80)) != Vector128<byte>.Zero)
            {
                return done;
            }

            Vector128<byte> isLetter = Vector128.LessThan(block - Vector128.Create((byte)'a'), Vector128.Create((byte)26));
            block ^= isLetter & Vector128.Create((byte)0x20);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, done), block);
        }

        return done;
    }

    /// <summary>How many bytes are LF or NUL.</summary>
    public static int CountEnds(ReadOnlySpan<byte> text)
    {
        ref byte from = ref MemoryMarshal.GetReference(text);
        int done = 0;
        int count = 0;
        if (Avx2.IsSupported)
        {
            for (; done <= text.Length - Vector256<byte>.Count; done += Vector256<byte>.Count)
            {
                Vector256<byte> block = Unsafe.ReadUnaligned<Vector256<byte>>(ref Unsafe.Add(ref from, done));
                Vector256<byte> isEnd = Avx2.Or(
                    Avx2.CompareEqual(block, Vector256.Create((byte)'\n')), Avx2.CompareEqual(block, Vector256<byte>.Zero));
                count += BitOperations.PopCount((uint)Avx2.MoveMask(isEnd));
            }
        }

        for (; done <= text.Length - Vector128<byte>.Count; done += Vector128<byte>.Count)
        {
            Vector128<byte> block = Unsafe.ReadUnaligned<Vector128<byte>>(ref Unsafe.Add(ref from, done));
            Vector128<byte> isEnd = Vector128.Equals(block, Vector128.Create((byte)'\n')) | Vector128.Equals(block, Vector128<byte>.Zero);
            count += BitOperations.PopCount(isEnd.ExtractMostSignificantBits());
        }

        for (; done < text.Length; done++)
        {
            count += text[done] is (byte)'\n' or 0 ? 1 : 0;
        }

        return count;
    }
}
