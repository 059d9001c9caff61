using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Doorbell.Native;

/// <summary>Windows' own calls.</summary>
[SupportedOSPlatform("windows")]
internal static partial class Kernel32
{
    /// <summary>Standard input, output and error are -10, -11 and -12; null if there is none.</summary>
    [LibraryImport("kernel32.dll"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial nint GetStdHandle(int number);
}
