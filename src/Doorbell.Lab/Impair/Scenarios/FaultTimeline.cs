using Doorbell.Lab.Impair.Faults;

namespace Doorbell.Lab.Impair.Scenarios;

/// <summary>
/// Which faults there are at a time. It has no clock: it is told the time, which never goes back. What was set for a time stands over what
/// was set without an end, and the later over the earlier.
/// </summary>
/// <param name="words">How words are read.</param>
/// <param name="begin">The faults at the start.</param>
public sealed class FaultTimeline(FaultWords words, BothFaults begin)
{
    /// <summary>In the order of their times; of the same time, as they were added.</summary>
    private readonly List<(TimeSpan At, ScenarioStep Step)> _coming = [];

    /// <summary>What holds for a time, in the order in which it began.</summary>
    private readonly List<(TimeSpan Until, ScenarioStep Step)> _passing = [];
    private BothFaults _lasting = begin;

    /// <summary>The faults at the time that was told last.</summary>
    public BothFaults Now { get; private set; } = begin;

    /// <summary>Adds a line.</summary>
    /// <param name="step">What is set, counted from now.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ArgumentException">Too many wait for their time already.</exception>
    public void Add(ScenarioStep step, TimeSpan now)
    {
        if (_coming.Count + _passing.Count >= Scenario.MaxSteps)
        {
            throw new ArgumentException($"{Scenario.MaxSteps} lines wait for their time already: clear forgets those that hold");
        }

        TimeSpan at = now + step.At;
        int place = _coming.FindIndex(other => other.At > at);
        _coming.Insert(place < 0 ? _coming.Count : place, (at, step));
    }

    /// <summary>Makes the faults those of a time.</summary>
    /// <param name="now">The time.</param>
    /// <returns>When they change next; <see cref="TimeSpan.MaxValue"/> if never.</returns>
    public TimeSpan Advance(TimeSpan now)
    {
        while (_coming is [var (at, step), ..] && at <= now)
        {
            _coming.RemoveAt(0);
            Begin(at, step);
        }

        _passing.RemoveAll(passing => passing.Until <= now);
        Now = _passing.Aggregate(_lasting, (faults, passing) => words.Apply(faults, passing.Step.Words));
        return _passing.Select(static passing => passing.Until).Concat(_coming.Take(1).Select(static coming => coming.At))
            .DefaultIfEmpty(TimeSpan.MaxValue).Min();
    }

    private void Begin(TimeSpan at, ScenarioStep step)
    {
        if (step.IsClear)
        {
            _lasting = BothFaults.None;
            _passing.Clear();
        }
        else if (step.For is { } time)
        {
            _passing.Add((at + time, step));
        }
        else
        {
            _lasting = words.Apply(_lasting, step.Words);
        }
    }
}
