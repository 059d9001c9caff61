using System.Globalization;
using Doorbell.Native;

namespace Doorbell.Lab.Models;

/// <summary>A process and its descendants, as proc(5) shows them: what they used and what they hold.</summary>
internal sealed class ProcessTree(int root)
{
    // USER_HZ (time(7)): what /proc counts processor time in, 100 a second on every architecture .NET runs on.
    private const double TicksPerSecond = 100;

    private readonly Dictionary<int, long> _seen = [];

    /// <summary>Processor time, user and system, of all that live and of all whose end their parent has taken note of.</summary>
    /// <remarks>Exact for those that live; the time of the ended is told in ticks of 10 ms.</remarks>
    public TimeSpan Cpu()
    {
        TimeSpan all = TimeSpan.Zero;
        foreach (ProcessStatus process in Living())
        {
            TimeSpan own = LibcClocks.ProcessorTimeOf(process.Id) ?? Ticks(process.OwnTicks);
            all += own + Ticks(process.EndedChildrenTicks);
        }

        return all;
    }

    /// <summary>How many processes live.</summary>
    public int Count() => Living().Count(static process => !process.IsZombie);

    /// <summary>Memory in bytes: proportional set size, which counts a page shared by n processes as 1/n of it.</summary>
    public long Memory() => Living().Sum(static process => ProportionalSetSize(process.Id));

    /// <summary>Those of the tree that have been seen and still run, even if the root has ended before them.</summary>
    public IReadOnlyList<int> Left()
    {
        Living();
        return [.. _seen.Where(static seen => ProcessStatus.TryRead(seen.Key) is { IsZombie: false } now && now.Started == seen.Value)
            .Select(static seen => seen.Key)];
    }

    private List<ProcessStatus> Living()
    {
        List<ProcessStatus> all = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                && ProcessStatus.TryRead(id) is { } process)
            {
                all.Add(process);
            }
        }

        ILookup<int, ProcessStatus> children = all.ToLookup(static process => process.Parent);
        List<ProcessStatus> tree = [.. all.Where(process => process.Id == root)];
        for (int next = 0; next < tree.Count; next++)
        {
            tree.AddRange(children[tree[next].Id]);
        }

        tree.ForEach(process => _seen[process.Id] = process.Started);
        return tree;
    }

    private static TimeSpan Ticks(long ticks) => TimeSpan.FromSeconds(ticks / TicksPerSecond);

    /// <summary>In bytes; 0 if it has ended.</summary>
    private static long ProportionalSetSize(int id)
    {
        try
        {
            const string Name = "Pss:";
            string line = File.ReadLines($"/proc/{id}/smaps_rollup").First(static line => line.StartsWith(Name, StringComparison.Ordinal));
            return 1024 * long.Parse(line[Name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        }
        catch (Exception ended) when (ended is IOException or InvalidOperationException)
        {
            return 0;
        }
    }
}
