using System.Text;

namespace Doorbell.Cli.Input;

/// <summary>A line being typed, key by key: letters, and backspace and Escape to take them back.</summary>
internal sealed class LineEditor
{
    private const int MaxLine = 500;

    private readonly StringBuilder _typed = new();

    public string Typed => _typed.ToString();

    /// <summary>The whole line, if the key ends it.</summary>
    public string? Press(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Enter:
                string line = _typed.ToString();
                _typed.Clear();
                return line;
            case ConsoleKey.Backspace:
                _typed.Length = Math.Max(0, _typed.Length - 1);
                return null;
            case ConsoleKey.Escape:
                _typed.Clear();
                return null;
            default:
                if (!char.IsControl(key.KeyChar) && _typed.Length < MaxLine)
                {
                    _typed.Append(key.KeyChar);
                }

                return null;
        }
    }
}
