using System.Globalization;
using System.Text;

namespace Doorbell.Lab.Load;

/// <summary>What an answer looks like: where it ends, and whether its bytes are known.</summary>
public sealed class AnswerForm
{
    private AnswerForm(AnswerKind kind, string name, int length = 0, byte[]? last = null) =>
        (Kind, Name, Length, Last) = (kind, name, length, last ?? []);

    /// <summary>A line, whatever it says.</summary>
    public static AnswerForm Line { get; } = new(AnswerKind.Line, "line");

    /// <summary>The question's own bytes.</summary>
    public static AnswerForm Echo { get; } = new(AnswerKind.Echo, "echo");

    /// <summary>The question in capitals: a to z alone are changed.</summary>
    public static AnswerForm Capitals { get; } = new(AnswerKind.Capitals, "capitals");

    /// <summary>All until the server ends the connection.</summary>
    public static AnswerForm End { get; } = new(AnswerKind.End, "end");

    /// <summary>No answer: a question is over when the system has taken it.</summary>
    public static AnswerForm Nothing { get; } = new(AnswerKind.Nothing, "nothing");

    /// <summary>Datagrams: one datagram, whatever it says.</summary>
    public static AnswerForm Datagram { get; } = new(AnswerKind.Datagram, "datagram");

    /// <summary>As it is written: <see cref="TryParse"/> reads it.</summary>
    public string Name { get; }

    internal AnswerKind Kind { get; }

    internal int Length { get; }

    internal byte[] Last { get; }

    /// <summary>Whether the bytes of the answer are known.</summary>
    internal bool IsCompared => Kind is AnswerKind.Echo or AnswerKind.Capitals;

    /// <summary>So many bytes, whatever they say.</summary>
    public static AnswerForm OfBytes(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new AnswerForm(AnswerKind.Bytes, string.Create(CultureInfo.InvariantCulture, $"bytes:{count}"), count);
    }

    /// <summary>All until these bytes, and they are its last.</summary>
    public static AnswerForm Until(string last)
    {
        ArgumentException.ThrowIfNullOrEmpty(last);
        return new AnswerForm(AnswerKind.Until, $"until:{last}", last: Encoding.UTF8.GetBytes(last));
    }

    /// <summary>
    /// Reads <c>line</c>, <c>echo</c>, <c>capitals</c>, <c>end</c>, <c>nothing</c>, <c>datagram</c>, <c>bytes:100</c> or
    /// <c>until:TEXT</c>, where <c>\r</c>, <c>\n</c>, <c>\0</c> and <c>\\</c> stand for CR, LF, NUL and a backslash.
    /// </summary>
    /// <returns>Whether the text is one of these.</returns>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AnswerForm? form)
    {
        form = Array.Find([Line, Echo, Capitals, End, Nothing, Datagram], known => known.Name == text);
        if (text.StartsWith("until:", StringComparison.Ordinal))
        {
            string last = text["until:".Length..].Replace("\\\\", "\u0001", StringComparison.Ordinal)
                .Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal)
                .Replace("\\0", "\0", StringComparison.Ordinal).Replace('\u0001', '\\');
            form = last.Length == 0 ? null : Until(last);
        }
        else if (text.StartsWith("bytes:", StringComparison.Ordinal)
            && int.TryParse(text["bytes:".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0)
        {
            form = OfBytes(count);
        }

        return form is not null;
    }

    /// <summary>Reads on in a stream's answer.</summary>
    /// <param name="input">What came; not empty.</param>
    /// <param name="had">How many of the answer's bytes came before.</param>
    /// <param name="question">What was asked.</param>
    /// <param name="asker">By whom.</param>
    /// <param name="number">The how manieth.</param>
    internal AnswerPart Read(ReadOnlySpan<byte> input, long had, LoadQuestion question, int asker, long number)
    {
        switch (Kind)
        {
            case AnswerKind.Line:
                int end = input.IndexOf((byte)'\n');
                return new AnswerPart(end < 0 ? input.Length : end + 1, end >= 0, false);
            case AnswerKind.Until:
                int at = input.IndexOf(Last);
                return at >= 0
                    ? new AnswerPart(at + Last.Length, true, false)
                    : new AnswerPart(Math.Max(input.Length - Last.Length + 1, 0), false, false);
            case AnswerKind.Bytes:
                int some = (int)Math.Min(Length - had, input.Length);
                return new AnswerPart(some, had + some == Length, false);
            case AnswerKind.Echo or AnswerKind.Capitals:
                int part = (int)Math.Min(question.Length - had, input.Length);
                bool right = question.IsAnswer(input[..part], (int)had, asker, number, Kind == AnswerKind.Capitals);
                return new AnswerPart(part, had + part == question.Length, !right);
            default:
                return new AnswerPart(input.Length, false, false);
        }
    }
}
