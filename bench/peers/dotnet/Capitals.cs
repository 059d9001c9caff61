using System.Buffers;
using System.Text;

namespace Doorbell.Bench.Peers;

/// <summary>What the .NET peers share: capitalising, and where the last whole line ends.</summary>
internal static class Capitals
{
    /// <summary>Of a line whose end has not come.</summary>
    public const int MostUnfinished = 1 << 20;

    /// <summary>How many bytes the whole lines are; a line ends at LF or NUL.</summary>
    public static int WholeLines(ReadOnlySpan<byte> text) => text.LastIndexOfAny((byte)'\n', (byte)0) + 1;

    /// <summary>Makes capitals of the ASCII letters; all other bytes stay as they are.</summary>
    public static void Make(Span<byte> text)
    {
        // It stops at a byte that is not ASCII; the rest follows after it.
        while (Ascii.ToUpperInPlace(text, out int written) == OperationStatus.InvalidData)
        {
            text = text[(written + 1)..];
        }
    }
}
