namespace Doorbell.Bench;

/// <summary>What was measured of one row.</summary>
/// <param name="Row">What it is about.</param>
/// <param name="Condition">What was found out before the rounds, such as a rate.</param>
/// <param name="Servers">In the row's order.</param>
internal sealed record RowResult(Row Row, string? Condition, IReadOnlyList<ServerResult> Servers)
{
    public ServerResult? Yardstick => Named(Row.Yardstick);

    public ServerResult? Named(string name) => Servers.FirstOrDefault(result => result.Server.Name == name);

    /// <summary>The goal's own figure: a ratio, or the server's. Null if one of its servers was left out.</summary>
    public Spread? Reached(Goal goal) => goal.Against is null
        ? Named(goal.Server)?.Figure
        : Named(goal.Server)?.RatioTo(Named(goal.Against));

    public bool Meets(Goal goal, Spread reached) => Row.Measure.MoreIsBetter
        ? Math.Round(reached.Median, 2) >= goal.Limit
        : Math.Round(reached.Median, 2) <= goal.Limit;
}
