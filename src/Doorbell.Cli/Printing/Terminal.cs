using System.Text;
using Doorbell.Native;

namespace Doorbell.Cli.Printing;

/// <summary>
/// The terminal that standard output may be. The first use of .NET's <see cref="Console.Out"/>, <see cref="Console.In"/> or
/// <see cref="Console.WindowWidth"/> puts a terminal into application mode ("keypad_xmit" in terminfo(5)) and leaves it so. Cursor keys
/// then send other bytes to the program that comes next. So the command uses none of them; the live view does, and undoes it.
/// </summary>
internal static class Terminal
{
    private const int StandardOutputsDescriptor = 1;

    /// <summary>The terminal's width in columns; null if standard output is no terminal, or its width is not known.</summary>
    public static int? Width => Console.IsOutputRedirected ? null
        : OperatingSystem.IsLinux() ? TerminalSize.Columns(StandardOutputsDescriptor)
        : Console.WindowWidth > 0 ? Console.WindowWidth : null;

    /// <summary>From now on <see cref="Console.Out"/> writes what it is given and nothing else.</summary>
    public static void StaysAsItIs()
    {
        UTF8Encoding encoding = new(encoderShouldEmitUTF8Identifier: false);
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), encoding) { AutoFlush = true });
    }

    /// <summary>Ends the application mode of cursor keys (DECCKM) and keypad (DECKPNM), which .NET's keyboard has begun.</summary>
    public static void EndApplicationMode() => Console.Out.Write("\e[?1l\e>");
}
