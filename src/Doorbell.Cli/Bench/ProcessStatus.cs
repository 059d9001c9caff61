using System.Globalization;

namespace Doorbell.Cli;

/// <summary>What /proc/PID/stat says (proc(5)).</summary>
/// <param name="Id">Its process id.</param>
/// <param name="Parent">Its parent's.</param>
/// <param name="IsZombie">It has ended, and its parent has not taken note.</param>
/// <param name="CpuTicks">Processor time of its own and of its children that were waited for.</param>
/// <param name="Started">When, in ticks since the machine started: with the id it tells two processes apart.</param>
internal readonly record struct ProcessStatus(int Id, int Parent, bool IsZombie, long CpuTicks, long Started)
{
    /// <summary>Null if there is no such process.</summary>
    public static ProcessStatus? TryRead(int id)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{id}/stat");

            // The name, in parentheses, may hold anything; after it come the fields from the third on.
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long Number(int field) => long.Parse(fields[field - 3], CultureInfo.InvariantCulture);
            long cpu = Number(14) + Number(15) + Number(16) + Number(17); // utime, stime, cutime, cstime
            return new ProcessStatus(id, (int)Number(4), fields[0] is "Z" or "X", cpu, Number(22));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
