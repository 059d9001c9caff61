using System.Globalization;
using System.Text;
using Doorbell.Cli.Input;

namespace Doorbell.Cli.Printing;

/// <summary>
/// Dumps what goes both ways to standard error, in lines as <c>hexdump -C</c> has them: behind <c>&gt;</c> what is sent, behind <c>&lt;</c>
/// what has come. Each way has offsets of its own. Any thread may call it.
/// </summary>
internal sealed class HexDump
{
    private const int BytesOfLine = 16;

    private readonly Lock _lock = new();
    private readonly Stream _error = StandardStream.Error();
    private readonly bool _countsEach;
    private long _sent;
    private long _received;
    private bool _hasFailed;

    /// <param name="countsEach">Whether the offsets begin anew with each call, as those of a datagram do.</param>
    public HexDump(bool countsEach) => _countsEach = countsEach;

    public void Sending(ReadOnlySpan<byte> bytes) => Write('>', ref _sent, bytes);

    public void Received(ReadOnlySpan<byte> bytes) => Write('<', ref _received, bytes);

    private void Write(char way, ref long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            long at = _countsEach ? 0 : offset;
            offset += bytes.Length;
            byte[] lines = Encoding.ASCII.GetBytes(Lines(way, at, bytes));
            try
            {
                if (!_hasFailed)
                {
                    _error.Write(lines);
                }
            }
            catch (StandardStreamException)
            {
                // Nobody takes what standard error says, so there is nowhere to say that either.
                _hasFailed = true;
            }
        }
    }

    private static string Lines(char way, long at, ReadOnlySpan<byte> bytes)
    {
        const int Half = BytesOfLine / 2;
        StringBuilder lines = new();
        for (int start = 0; start < bytes.Length; start += BytesOfLine)
        {
            ReadOnlySpan<byte> line = bytes[start..Math.Min(start + BytesOfLine, bytes.Length)];
            lines.Append(CultureInfo.InvariantCulture, $"{way} {at + start:x8} ");
            for (int i = 0; i < BytesOfLine; i++)
            {
                lines.Append(i % Half == 0 ? " " : "");
                lines.Append(i < line.Length ? string.Create(CultureInfo.InvariantCulture, $"{line[i]:x2} ") : "   ");
            }

            lines.Append(" |");
            foreach (byte next in line)
            {
                lines.Append(next is >= 0x20 and < 0x7f ? (char)next : '.');
            }

            lines.Append("|\n");
        }

        return lines.ToString();
    }
}
