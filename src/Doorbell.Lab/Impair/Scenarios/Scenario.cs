using Doorbell.Lab.Impair.Faults;

namespace Doorbell.Lab.Impair.Scenarios;

/// <summary>Faults that change by the clock, as they are written down: a line each, as in <c>at 5s loss 20% for 10s</c>.</summary>
public static class Scenario
{
    /// <summary>The most lines that say something.</summary>
    public const int MaxSteps = 1000;

    private const string At = "at";
    private const string For = "for";
    private const string Clear = "clear";

    /// <summary>Reads a scenario. Empty lines, and what stands behind <c>#</c>, say nothing.</summary>
    /// <param name="text">Its lines.</param>
    /// <param name="source">Where it comes from, for an error.</param>
    /// <param name="words">What can be set.</param>
    /// <exception cref="ArgumentException">A line makes no sense; the message begins with the source and the line's number.</exception>
    public static IReadOnlyList<ScenarioStep> Parse(string text, string source, FaultWords words)
    {
        List<ScenarioStep> steps = [];
        foreach ((int index, string whole) in text.Split('\n').Index())
        {
            string line = whole.Split('#')[0].Trim();
            if (line.Length == 0)
            {
                continue;
            }

            try
            {
                if (line.Split((char[]?)null)[0] != At)
                {
                    throw new ArgumentException($"a line begins with {At} and a time, as in {At} 5s {words.Example} {For} 10s");
                }

                steps.Add(ParseLine(line, words));
                if (steps.Count > MaxSteps)
                {
                    throw new ArgumentException($"a scenario has at most {MaxSteps} lines");
                }
            }
            catch (ArgumentException wrong)
            {
                throw new ArgumentException($"{source}:{index + 1}: {wrong.Message}", wrong);
            }
        }

        return steps;
    }

    /// <summary>Reads one line; without <c>at</c> it is for now.</summary>
    /// <param name="line">As in <c>at 5s loss 20% for 10s</c>, <c>loss 20% for 10s</c>, <c>at 30s clear</c>.</param>
    /// <param name="words">What can be set.</param>
    /// <exception cref="ArgumentException">It makes no sense.</exception>
    public static ScenarioStep ParseLine(string line, FaultWords words)
    {
        ReadOnlySpan<string> rest = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        TimeSpan at = TimeSpan.Zero;
        if (rest is [At, ..])
        {
            at = Time(rest[1..], At);
            rest = rest[2..];
        }

        TimeSpan? time = null;
        if (rest.LastIndexOf(For) is >= 0 and int end)
        {
            time = Time(rest[(end + 1)..], For);
            if (end + 2 < rest.Length)
            {
                throw new ArgumentException($"\"{PrintableText.Escape(rest[end + 2])}\" stands behind the end of the line, {For} TIME");
            }

            rest = rest[..end];
        }

        if (rest is [Clear])
        {
            return time is null
                ? new ScenarioStep(at, [], For: null)
                : throw new ArgumentException($"{Clear} ends all faults and has no {For}");
        }

        if (rest.IsEmpty)
        {
            throw new ArgumentException($"nothing is set: give names and values, as in {words.Example}, or {Clear}");
        }

        IReadOnlyList<(string Name, string Value)> set = words.Split(string.Join(' ', rest!));
        words.Apply(BothFaults.None, set);
        return new ScenarioStep(at, set, time);
    }

    private static TimeSpan Time(ReadOnlySpan<string> rest, string word) => !rest.IsEmpty && TimeText.TryParse(rest[0], out TimeSpan time)
        ? time
        : throw new ArgumentException(
            $"{word} takes a time of at most 7 days, as in {word} 5s"
                + (rest.IsEmpty ? "" : $", not \"{PrintableText.Escape(rest[0])}\""));
}
