namespace Doorbell.Lab.Impair.Scenarios;

/// <summary>One line of a scenario: what is set, when, and for how long.</summary>
/// <param name="At">So long after the scenario began.</param>
/// <param name="Words">Settings and values, as in <c>loss</c> and <c>20%</c>; empty to make all perfect.</param>
/// <param name="For">How long it holds; null until something else is set.</param>
public sealed record ScenarioStep(TimeSpan At, IReadOnlyList<(string Name, string Value)> Words, TimeSpan? For)
{
    /// <summary>Whether it ends all faults.</summary>
    public bool IsClear => Words.Count == 0;
}
