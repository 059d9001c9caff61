using System.Globalization;

namespace Doorbell.Tests;

/// <summary>The children of a process as /proc tells them, those too that have ended and are not waited for (proc_pid_task(5)).</summary>
internal static class ChildProcesses
{
    /// <summary>This process's children.</summary>
    public static int[] All() => Of(Environment.ProcessId);

    /// <summary>The children of a process.</summary>
    public static int[] Of(int process) =>
    [
        .. Directory.GetDirectories($"/proc/{process}/task").SelectMany(static task => Read($"{task}/children").Split(' '))
            .Where(static word => word.Length > 0).Select(static word => int.Parse(word, CultureInfo.InvariantCulture)),
    ];

    /// <summary>The program and arguments of a process, with a zero character behind each; "" if it has ended.</summary>
    public static string CommandLine(int process) => Read($"/proc/{process}/cmdline");

    /// <summary>The text, or "" if the process or thread has ended meanwhile.</summary>
    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
