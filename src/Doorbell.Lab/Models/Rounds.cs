namespace Doorbell.Lab.Models;

/// <summary>One number of several rounds: its median, and how far the rounds lie apart.</summary>
/// <param name="Median">The median.</param>
/// <param name="Lowest">The lowest.</param>
/// <param name="Highest">The highest.</param>
public readonly record struct Rounds(double Median, double Lowest, double Highest)
{
    /// <summary>A number of each round.</summary>
    /// <param name="slices">The rounds, at least one.</param>
    /// <param name="number">The number.</param>
    public static Rounds Of(IEnumerable<Slice> slices, Func<Slice, double> number)
    {
        double[] sorted = [.. slices.Select(number).Order()];
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return new Rounds(median, sorted[0], sorted[^1]);
    }
}
