using System.Globalization;
using System.Text;

namespace Doorbell.Cli.Arguments;

/// <summary>A line of a script, read word by word.</summary>
/// <param name="file">The file's name, fit to print.</param>
/// <param name="number">The line's number.</param>
/// <param name="text">The line.</param>
internal sealed class ScriptLine(string file, int number, string text)
{
    private readonly string _text = text.TrimEnd('\r', ' ', '\t');
    private int _at;

    public int Number => number;

    /// <summary>Whether there is nothing more but a comment.</summary>
    public bool IsEmpty
    {
        get
        {
            SkipBlanks();
            return _at == _text.Length || _text[_at] == '#';
        }
    }

    /// <summary>Whether a text or an expression comes next.</summary>
    public bool IsPattern => !IsEmpty && _text[_at] is '"' or '/';

    public ConfigurationException Wrong(string what) => new($"{file}:{number}: {what}");

    /// <summary>A word of letters, digits, hyphens and underscores.</summary>
    public string Word(string what)
    {
        SkipBlanks();
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '-' or '_'))
        {
            _at++;
        }

        return _at > start ? _text[start.._at] : throw Wrong($"{what} is missing{Rest()}");
    }

    /// <summary>A length of time, as the command's options take it.</summary>
    public TimeSpan Time()
    {
        SkipBlanks();
        int start = _at;
        while (_at < _text.Length && _text[_at] is not (' ' or '\t' or '#'))
        {
            _at++;
        }

        string word = _text[start.._at];
        return Duration.TryParse(word, out Duration duration) && duration.Time > TimeSpan.Zero
            ? duration.Time
            : throw Wrong(word.Length == 0
                ? "a time is missing, as in 5, 0.5, 200ms or 2m"
                : $"{PrintableText.Escape(word)} is no time: give one above 0, at most 7d, as in 5, 0.5, 200ms or 2m");
    }

    /// <summary>A text in quotes, as bytes.</summary>
    public byte[] Text()
    {
        if (IsEmpty || _text[_at] != '"')
        {
            throw Wrong($"a text in quotes is missing{Rest()}");
        }

        _at++;
        List<byte> bytes = [];
        StringBuilder plain = new();
        while (_at < _text.Length && _text[_at] != '"')
        {
            if (_text[_at] == '\\')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(plain.ToString()));
                plain.Clear();
                bytes.Add(Escaped());
            }
            else
            {
                plain.Append(_text[_at++]);
            }
        }

        if (_at++ >= _text.Length)
        {
            throw Wrong("the text has no quote at its end");
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(plain.ToString()));
        return bytes.Count > 0 ? [.. bytes] : throw Wrong("the text is empty");
    }

    /// <summary>A text in quotes, or an expression between slashes.</summary>
    public ScriptPattern Pattern()
    {
        if (!IsPattern)
        {
            throw Wrong($"a pattern is missing: \"TEXT\" or /EXPRESSION/{Rest()}");
        }

        if (_text[_at] == '"')
        {
            return ScriptPattern.OfText(Text());
        }

        StringBuilder expression = new();
        for (_at++; _at < _text.Length && _text[_at] != '/'; _at++)
        {
            bool isSlash = _text[_at] == '\\' && _at + 1 < _text.Length;
            expression.Append(isSlash && _text[_at + 1] != '/' ? "\\" : "");
            _at += isSlash ? 1 : 0;
            expression.Append(_text[_at]);
        }

        if (_at++ >= _text.Length)
        {
            throw Wrong("the expression has no slash at its end");
        }

        try
        {
            return ScriptPattern.OfExpression(expression.ToString());
        }
        catch (ArgumentException wrong)
        {
            throw Wrong(wrong.Message);
        }
    }

    /// <exception cref="ConfigurationException">There is more.</exception>
    public void RequireEnd()
    {
        if (!IsEmpty)
        {
            throw Wrong($"{PrintableText.Escape(_text[_at..])} is too much");
        }
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is (' ' or '\t'))
        {
            _at++;
        }
    }

    private string Rest() => IsEmpty ? "" : $", and here stands {PrintableText.Escape(_text[_at..])}";

    private byte Escaped()
    {
        const int HexDigits = 2;
        char letter = _at + 1 < _text.Length ? _text[_at + 1] : '\0';
        _at += 2;
        switch (letter)
        {
            case 'n': return (byte)'\n';
            case 'r': return (byte)'\r';
            case 't': return (byte)'\t';
            case 'e': return 0x1b;
            case '\\' or '"': return (byte)letter;
            case 'x' when _at + HexDigits <= _text.Length && byte.TryParse(
                _text.AsSpan(_at, HexDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value):
                _at += HexDigits;
                return value;
            default:
                throw Wrong("behind a backslash stands n, r, t, e, x and two hexadecimal digits, a quote or a backslash");
        }
    }
}
