namespace Doorbell.Bench;

/// <summary>A number of several rounds: its median, and how far the rounds lie apart.</summary>
internal readonly record struct Spread(double Median, double Lowest, double Highest)
{
    /// <summary>Null of no rounds.</summary>
    public static Spread? Of(IEnumerable<double> rounds)
    {
        double[] sorted = [.. rounds.Order()];
        return sorted.Length == 0
            ? null
            : new Spread((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }
}
