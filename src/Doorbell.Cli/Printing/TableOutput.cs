using System.Text;
using Spectre.Console;

namespace Doorbell.Cli.Printing;

/// <summary>
/// Tables as lines of text on <see cref="Console.Out"/>. The library's own console asks .NET's for the width and the colours, which puts a
/// terminal into application mode (<see cref="Terminal"/>).
/// </summary>
internal sealed class TableOutput : IAnsiConsoleOutput
{
    private const int WidthOfAFile = 120;
    private const int AnyHeight = 24;

    public TextWriter Writer => Console.Out;

    public bool IsTerminal => false;

    public int Width { get; } = Terminal.Width ?? WidthOfAFile;

    public int Height => AnyHeight;

    /// <summary>A console that writes no escape sequences.</summary>
    public static IAnsiConsole Open() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.No,
        ColorSystem = ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.No,
        Out = new TableOutput(),
    });

    public void SetEncoding(Encoding encoding)
    {
    }
}
