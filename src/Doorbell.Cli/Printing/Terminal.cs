using Doorbell.Native;

namespace Doorbell.Cli.Printing;

/// <summary>
/// The terminal that standard output may be. The first use of .NET's <see cref="Console.Out"/>, <see cref="Console.In"/> or
/// <see cref="Console.WindowWidth"/> puts a terminal into application mode ("keypad_xmit" in terminfo(5)) and leaves it so. Cursor keys
/// then send other bytes to the program that comes next. So the command writes past it. Only the live view is drawn by a library that
/// uses it, and undoes it.
/// </summary>
internal static class Terminal
{
    private const int StandardOutputsDescriptor = 1;

    /// <summary>The terminal's width in columns; null if standard output is no terminal, or its width is not known.</summary>
    public static int? Width => Console.IsOutputRedirected ? null
        : OperatingSystem.IsLinux() ? TerminalSize.Columns(StandardOutputsDescriptor)
        : Console.WindowWidth > 0 ? Console.WindowWidth : null;

    /// <summary>
    /// From now on <see cref="Console.Out"/> and <see cref="Console.Error"/> write what they are given and nothing else. The console's own
    /// streams, too, begin application mode at their first write, whichever of the two it is.
    /// </summary>
    public static void StaysAsItIs()
    {
        if (!Console.IsOutputRedirected)
        {
            Console.SetOut(StandardOutput.OpenText());
            Console.SetError(StandardOutput.OpenErrorText());
        }
    }

    /// <summary>
    /// A process in the terminal's background is stopped by the signal SIGTTOU when it changes the terminal's settings (tcsetattr(3)). .NET
    /// does so when it hears SIGCONT, which timeout(1) sends behind SIGTERM, and at the process's end: the process would never end. So this
    /// thread and those that it starts block the signal; .NET would give up that it is ignored. A program that is started blocks none.
    /// </summary>
    public static void NeverStopsForSettings()
    {
        if (OperatingSystem.IsLinux())
        {
            LibcProcesses.BlockBackgroundOutput();
        }
    }

    /// <summary>Ends the application mode of cursor keys (DECCKM) and keypad (DECKPNM), which .NET's keyboard has begun.</summary>
    public static void EndApplicationMode() => Console.Out.Write("\e[?1l\e>");
}
