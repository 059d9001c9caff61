using System.Text;
using System.Text.RegularExpressions;

namespace Doorbell.Cli.Arguments;

/// <summary>What a script waits for: a text, or a regular expression, found anywhere in what has come.</summary>
internal sealed class ScriptPattern
{
    private readonly byte[] _text;
    private readonly Regex? _expression;

    private ScriptPattern(string shown, byte[] text, Regex? expression)
    {
        Shown = shown;
        _text = text;
        _expression = expression;
    }

    /// <summary>As an error calls it.</summary>
    public string Shown { get; }

    public static ScriptPattern OfText(byte[] text) => new($"\"{PrintableText.Escape(text)}\"", text, null);

    /// <summary>
    /// One of .NET's regular expressions, without what needs backtracking: the peer sends what is searched. <c>^</c> and <c>$</c> are a
    /// line's.
    /// </summary>
    /// <exception cref="ArgumentException">It is none, or finds nothing in nothing.</exception>
    public static ScriptPattern OfExpression(string expression)
    {
        const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Multiline;
        string shown = $"/{PrintableText.Escape(expression)}/";
        try
        {
            Regex found = new(expression, Options);
            return found.IsMatch("")
                ? throw new ArgumentException($"{shown} is found in nothing, so it would wait for nothing")
                : new ScriptPattern(shown, [], found);
        }
        catch (Exception wrong) when (wrong is RegexParseException or NotSupportedException)
        {
            string why = PrintableText.Escape(wrong.Message.Split(" (Parameter '")[0].TrimEnd('.'));
            throw new ArgumentException($"{shown} is no regular expression that can be searched: {why}");
        }
    }

    /// <summary>Looks for it.</summary>
    /// <param name="bytes">What has come.</param>
    /// <param name="end">Behind its first place, if it is there.</param>
    public bool IsIn(ReadOnlySpan<byte> bytes, out int end)
    {
        if (_expression is null)
        {
            int at = bytes.IndexOf(_text);
            end = at + _text.Length;
            return at >= 0;
        }

        StringBuilder text = new();
        List<int> ends = [];
        for (int at = 0; at < bytes.Length;)
        {
            // What is no UTF-8 stands as U+FFFD, a byte each time.
            _ = Rune.DecodeFromUtf8(bytes[at..], out Rune rune, out int length);
            at += length;
            text.Append(rune.ToString());
            ends.AddRange(Enumerable.Repeat(at, rune.Utf16SequenceLength));
        }

        Match match = _expression.Match(text.ToString());
        int last = match.Index + match.Length - 1;
        end = match.Success && last >= 0 ? ends[last] : 0;
        return match.Success;
    }
}
