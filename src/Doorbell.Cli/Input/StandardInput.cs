using System.Globalization;

namespace Doorbell.Cli.Input;

/// <summary>Standard input, if there is one.</summary>
internal static class StandardInput
{
    private const int CloseOnExec = 0x80000;

    /// <summary>
    /// Standard input as bytes. Started without one (<c>&lt;&amp;-</c>), descriptor 0 is whatever the runtime opened first, such as a
    /// source of random bytes: then the input is empty.
    /// </summary>
    public static Stream Open() => IsInherited(0) ? StandardStream.Input() : Stream.Null;

    /// <summary>
    /// Whether a descriptor came from whoever started us: what was opened since closes on exec, what came through exec does not.
    /// </summary>
    public static bool IsInherited(int descriptor)
    {
        string info = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{descriptor}");
        if (!OperatingSystem.IsLinux() || !Directory.Exists("/proc/self/fdinfo"))
        {
            return true;
        }

        if (!File.Exists(info))
        {
            return false;
        }

        string? flags = File.ReadLines(info).FirstOrDefault(static line => line.StartsWith("flags:", StringComparison.Ordinal));
        return flags is null || (Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & CloseOnExec) == 0;
    }
}
