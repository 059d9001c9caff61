using System.Globalization;
using System.Text;

namespace Doorbell.Cli.Printing;

/// <summary>Text for a manual page, as roff reads it (groff(7), man(7)).</summary>
internal sealed class RoffText
{
    /// <summary>Longer lines are bad style (mandoc(1)).</summary>
    private const int MaxLine = 78;

    private readonly StringBuilder _text = new();

    /// <summary>A line of roff's own: a macro with its words. A date keeps its hyphens.</summary>
    public RoffText Macro(string name, params string[] words)
    {
        string quoted = string.Concat(words.Select(static word => $" \"{Escape(word).Replace("\\-", "-", StringComparison.Ordinal)}\""));
        _text.Append(CultureInfo.InvariantCulture, $".{name}{quoted}\n");
        return this;
    }

    /// <summary>A paragraph, broken between words.</summary>
    public RoffText Prose(string text)
    {
        StringBuilder line = new();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Escape))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > MaxLine)
            {
                Line(line.ToString());
                line.Clear();
            }

            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }

        return line.Length == 0 ? this : Line(line.ToString());
    }

    /// <summary>A list's entry: its name in bold, what stands for its value in italics, and what it means.</summary>
    public RoffText Entry(string name, string value, string meaning)
    {
        _text.Append(".TP\n");
        string named = name.Length == 0 ? "" : $"\\fB{Escape(name)}\\fR{(value.Length == 0 ? "" : " ")}";
        _text.Append(CultureInfo.InvariantCulture, $"{named}{(value.Length == 0 ? "" : $"\\fI{Escape(value)}\\fR")}\n");
        return Prose(meaning);
    }

    /// <summary>How something is called: its name in bold, its arguments in italics.</summary>
    public RoffText Called(string name, string arguments)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\\fB{Escape(name)}\\fR \\fI{Escape(arguments)}\\fR\n");
        return this;
    }

    /// <summary>Lines as they are typed.</summary>
    public RoffText Typed(string line)
    {
        _text.Append(".EX\n");
        Line(Escape(line));
        _text.Append(".EE\n");
        return this;
    }

    public override string ToString() => _text.ToString();

    /// <summary>A line that begins as one of roff's own gets a character of no width in front.</summary>
    private RoffText Line(string line)
    {
        _text.Append(line is ['.' or '\'', ..] ? "\\&" : "").Append(line).Append('\n');
        return this;
    }

    /// <summary>What roff would take for its own, and what it would draw as a nicer character that can't be pasted into a shell.</summary>
    private static string Escape(string text)
    {
        StringBuilder escaped = new();
        foreach (Rune rune in text.EnumerateRunes())
        {
            string written = rune.Value switch
            {
                '\\' => "\\e",
                '-' => "\\-",
                '\'' => "\\(aq",
                '"' => "\\(dq",
                '`' => "\\(ga",
                '^' => "\\(ha",
                '~' => "\\(ti",
                > 0x7e => $"\\[u{rune.Value:X4}]",
                _ => rune.ToString(),
            };
            escaped.Append(written);
        }

        return escaped.ToString();
    }
}
