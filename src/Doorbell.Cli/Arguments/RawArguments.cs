using System.Text;

namespace Doorbell.Cli.Arguments;

/// <summary>The command line's bytes. .NET makes U+FFFD of what is no UTF-8, and so another path than the one that was given.</summary>
internal static class RawArguments
{
    /// <summary>The same arguments as <see cref="SystemText"/> has them; those of .NET where the system does not tell.</summary>
    public static string[] Of(string[] arguments)
    {
        if (!OperatingSystem.IsLinux() || !arguments.Any(static argument => argument.Contains('\ufffd')))
        {
            return arguments;
        }

        try
        {
            // Each ends with a NUL (proc_pid_cmdline(5)). The runtime's own stand before ours.
            string[] all = SystemText.FromBytes(File.ReadAllBytes("/proc/self/cmdline")).Split('\0')[..^1];
            string[] own = all[Math.Max(0, all.Length - arguments.Length)..];
            return own.Select(AsRead).SequenceEqual(arguments) ? own : arguments;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return arguments;
        }
    }

    private static string AsRead(string argument) => Encoding.UTF8.GetString(SystemText.ToBytes(argument));
}
