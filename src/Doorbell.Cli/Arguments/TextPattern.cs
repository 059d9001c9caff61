using System.Text;
using System.Text.RegularExpressions;

namespace Doorbell.Cli.Arguments;

/// <summary>What a peer's line is compared with: a text as it stands, or a regular expression between slashes.</summary>
internal sealed class TextPattern
{
    private readonly byte[] _text;
    private readonly Regex? _expression;

    private TextPattern(string word, Regex? expression)
    {
        _text = SystemText.ToBytes(word);
        _expression = expression;
    }

    /// <summary>Reads a text, or <c>/EXPRESSION/</c> of .NET's regular expressions, without what needs backtracking.</summary>
    /// <exception cref="ArgumentException">It is no regular expression.</exception>
    public static TextPattern Parse(string word)
    {
        if (word is not ['/', _, .., '/'])
        {
            return new TextPattern(word, null);
        }

        try
        {
            // The peer sends what is searched: without backtracking the time grows with its length alone.
            return new TextPattern(word, new Regex(word[1..^1], RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
        {
            string why = PrintableText.Escape(wrong.Message.Split(" (Parameter '")[0].TrimEnd('.'));
            throw new ArgumentException($"\"{PrintableText.Escape(word)}\" is no regular expression that can be searched: {why}");
        }
    }

    /// <summary>Whether the line is the text, or the expression is found in it.</summary>
    public bool IsLine(ReadOnlySpan<byte> line) => _expression?.IsMatch(Encoding.UTF8.GetString(line)) ?? line.SequenceEqual(_text);
}
