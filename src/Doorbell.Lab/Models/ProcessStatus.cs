using System.Globalization;

namespace Doorbell.Lab.Models;

/// <summary>What /proc/PID/stat says (proc(5)).</summary>
/// <param name="Id">Its process id.</param>
/// <param name="Parent">Its parent's.</param>
/// <param name="IsZombie">It has ended, and its parent has not taken note.</param>
/// <param name="OwnTicks">Its processor time, user and system.</param>
/// <param name="EndedChildrenTicks">That of its descendants that have ended and were waited for.</param>
/// <param name="Started">When, in ticks since the machine started: with the id it tells two processes apart.</param>
internal readonly record struct ProcessStatus(int Id, int Parent, bool IsZombie, long OwnTicks, long EndedChildrenTicks, long Started)
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
            long own = Number(14) + Number(15); // utime, stime
            long ended = Number(16) + Number(17); // cutime, cstime
            return new ProcessStatus(id, (int)Number(4), fields[0] is "Z" or "X", own, ended, Number(22));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
