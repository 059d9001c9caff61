namespace Doorbell.Lab.Load;

/// <summary>
/// What is asked: the same bytes each time, or lines that are all different. A numbered line says in letters who asks and the how manieth
/// question it is, so that no answer can be taken for another's.
/// </summary>
public sealed class LoadQuestion
{
    /// <summary>The least that a numbered line has.</summary>
    public const int MinNumberedBytes = 32;

    /// <summary>The most that a question has.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private const int AskerAt = 4;
    private const int AskerLetters = 5;
    private const int NumberAt = 14;
    private const int NumberLetters = 16;
    private const int HeadBytes = NumberAt + NumberLetters;
    private const int BitsPerLetter = 4;

    private readonly byte[] _bytes;
    private readonly byte[] _capitals;

    private LoadQuestion(byte[] bytes, bool isNumbered)
    {
        _bytes = bytes;
        _capitals = [.. bytes.Select(static letter => letter is >= (byte)'a' and <= (byte)'z' ? (byte)(letter - 32) : letter)];
        IsNumbered = isNumbered;
    }

    /// <summary>How many bytes it has.</summary>
    public int Length => _bytes.Length;

    /// <summary>Whether each question is different from all others.</summary>
    public bool IsNumbered { get; }

    /// <summary>Lines of so many bytes, the line's end included; numbered if that leaves room for a number.</summary>
    public static LoadQuestion OfSize(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, MaxBytes);
        bool isNumbered = bytes >= MinNumberedBytes;
        ReadOnlySpan<byte> head = "ask_aaaaa no. aaaaaaaaaaaaaaaa"u8;
        ReadOnlySpan<byte> filler = "the quick brown fox jumps over the lazy dog, 0123456789 times; "u8;
        byte[] line = new byte[bytes];
        for (int i = 0; i < bytes; i++)
        {
            line[i] = isNumbered && i < HeadBytes ? head[i] : filler[i % filler.Length];
        }

        line[^1] = (byte)'\n';
        return new LoadQuestion(line, isNumbered);
    }

    /// <summary>These bytes, each time.</summary>
    public static LoadQuestion Of(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxBytes, nameof(bytes));
        return new LoadQuestion(bytes.ToArray(), isNumbered: false);
    }

    internal void Write(Span<byte> to, int asker, long number)
    {
        _bytes.CopyTo(to);
        if (IsNumbered)
        {
            WriteLetters(to, asker, number, 'a');
        }
    }

    /// <summary>Whether these are bytes of the right answer.</summary>
    /// <param name="part">The bytes.</param>
    /// <param name="offset">Where in the answer they begin; they do not go beyond its end.</param>
    /// <param name="asker">Who asked.</param>
    /// <param name="number">Which question.</param>
    /// <param name="capitals">Whether the answer is the question in capitals (a–z alone), or the question itself.</param>
    internal bool IsAnswer(ReadOnlySpan<byte> part, int offset, int asker, long number, bool capitals)
    {
        ReadOnlySpan<byte> expected = capitals ? _capitals : _bytes;
        int inHead = IsNumbered ? Math.Clamp(HeadBytes - offset, 0, part.Length) : 0;
        if (inHead > 0)
        {
            Span<byte> head = stackalloc byte[HeadBytes];
            expected[..HeadBytes].CopyTo(head);
            WriteLetters(head, asker, number, capitals ? 'A' : 'a');
            if (!part[..inHead].SequenceEqual(head.Slice(offset, inHead)))
            {
                return false;
            }
        }

        return part[inHead..].SequenceEqual(expected.Slice(offset + inHead, part.Length - inHead));
    }

    /// <summary>Which question a numbered answer says that it answers. What it says may be anything.</summary>
    internal static long NumberOf(ReadOnlySpan<byte> answer, bool capitals)
    {
        long number = 0;
        for (int i = 0; i < NumberLetters; i++)
        {
            number |= (long)((answer[NumberAt + i] - (capitals ? 'A' : 'a')) & 15) << (BitsPerLetter * i);
        }

        return number;
    }

    private static void WriteLetters(Span<byte> to, int asker, long number, char first)
    {
        for (int i = 0; i < AskerLetters; i++)
        {
            to[AskerAt + i] = (byte)(first + ((asker >> (BitsPerLetter * i)) & 15));
        }

        for (int i = 0; i < NumberLetters; i++)
        {
            to[NumberAt + i] = (byte)(first + (int)((number >> (BitsPerLetter * i)) & 15));
        }
    }
}
