using System.Text;

namespace Doorbell.Cli.Printing;

/// <summary>A stream of peer's bytes made fit for a terminal: text, ends of line and tabs stay, all else is escaped.</summary>
internal sealed class TerminalText
{
    private readonly List<byte> _line = [];

    /// <summary>What can be shown now; a UTF-8 sequence that isn't whole yet waits for the next bytes.</summary>
    public string Escape(ReadOnlySpan<byte> bytes)
    {
        _line.AddRange(bytes);
        int whole = _line.Count - UnfinishedBytes();
        string text = PrintableText.EscapeKeepingLines([.. _line.Take(whole)]);
        _line.RemoveRange(0, whole);
        return text;
    }

    /// <summary>What is left at the end.</summary>
    public string Rest()
    {
        string text = PrintableText.EscapeKeepingLines([.. _line]);
        _line.Clear();
        return text;
    }

    private int UnfinishedBytes()
    {
        byte[] end = [.. _line.TakeLast(3)];
        for (int start = 0; start < end.Length; start++)
        {
            if (Rune.DecodeFromUtf8(end.AsSpan(start), out _, out _) == System.Buffers.OperationStatus.NeedMoreData)
            {
                return end.Length - start;
            }
        }

        return 0;
    }
}
