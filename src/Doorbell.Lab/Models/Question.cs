using System.Text;

namespace Doorbell.Lab.Models;

/// <summary>The lines the bench asks, each different from the one before, and whether an answer is the right one.</summary>
/// <param name="asker">Which client asks; its lines differ from the others' too.</param>
internal sealed class Question(int asker)
{
    /// <summary>Of a line, with its LF; of its answer too.</summary>
    public const int Bytes = 32;

    private readonly byte[] _line = Encoding.ASCII.GetBytes($"doorbell bench {asker % 10000:d4} aaaaaaaaaaa\n");

    /// <summary>The line to ask.</summary>
    public ReadOnlyMemory<byte> Line => _line;

    /// <summary>Makes the next line: its last word counts in letters, so that a server has something to capitalize.</summary>
    public void Next()
    {
        for (int digit = Bytes - 2; _line[digit] != ' '; digit--)
        {
            if (_line[digit] < 'z')
            {
                _line[digit]++;
                return;
            }

            _line[digit] = (byte)'a';
        }
    }

    /// <summary>Checks the answer to the line.</summary>
    /// <param name="answer">All that came.</param>
    /// <param name="server">How an error calls the server.</param>
    /// <exception cref="NetworkException">It is wrong, or not whole.</exception>
    public void Check(ReadOnlySpan<byte> answer, string server)
    {
        Span<byte> right = stackalloc byte[Bytes];
        for (int at = 0; at < Bytes; at++)
        {
            right[at] = _line[at] is >= (byte)'a' and <= (byte)'z' ? (byte)(_line[at] - 32) : _line[at];
        }

        if (!answer.SequenceEqual(right))
        {
            throw NetworkException.From("ask", server, new InvalidDataException(
                $"to \"{Encoding.UTF8.GetString(_line)}\" it answered \"{Encoding.UTF8.GetString(answer)}\""));
        }
    }
}
