using System.Buffers;
using System.Text;

namespace Doorbell.Cli.Printing;

/// <summary>A stream of peer's bytes made fit for a terminal. The bytes may be cut anywhere, also within a character.</summary>
/// <param name="escape">How whole characters are escaped.</param>
internal sealed class TerminalText(Func<byte[], string> escape)
{
    private byte[] _unfinished = [];

    /// <summary>What can be shown now; a UTF-8 sequence that isn't whole yet waits for the next bytes.</summary>
    public string Escape(ReadOnlySpan<byte> bytes)
    {
        byte[] all = [.. _unfinished, .. bytes];
        int whole = all.Length - UnfinishedBytes(all);
        _unfinished = all[whole..];
        return escape(all[..whole]);
    }

    /// <summary>What is left at the end.</summary>
    public string Rest()
    {
        string text = escape(_unfinished);
        _unfinished = [];
        return text;
    }

    private static int UnfinishedBytes(ReadOnlySpan<byte> bytes)
    {
        const int MaxUnfinishedBytes = 3;
        for (int count = Math.Min(MaxUnfinishedBytes, bytes.Length); count > 0; count--)
        {
            if (Rune.DecodeFromUtf8(bytes[^count..], out _, out _) == OperationStatus.NeedMoreData)
            {
                return count;
            }
        }

        return 0;
    }
}
