using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// How wide a terminal is: TIOCGWINSZ (TIOCGWINSZ(2const)) on Linux. .NET's console knows it too, but before it tells, it puts the terminal
/// into application mode and leaves it so.
/// </summary>
internal static unsafe partial class TerminalSize
{
    private const nuint WindowSize = 0x5413;

    /// <summary>The columns of the terminal at a descriptor; null if it is no terminal, or one that does not know its size.</summary>
    public static int? Columns(int descriptor)
    {
        Winsize size = default;
        return ioctl(descriptor, WindowSize, &size) == 0 && size.Columns > 0 ? size.Columns : null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, nuint request, Winsize* size);

    /// <summary>struct winsize.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Winsize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort PixelsAcross;
        public ushort PixelsDown;
    }
}
