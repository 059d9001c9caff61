namespace Doorbell.Cli;

/// <summary>One number of several rounds: its median, and how far the rounds lie apart.</summary>
internal readonly record struct Rounds(double Median, double Lowest, double Highest)
{
    public static Rounds Of(IEnumerable<Slice> slices, Func<Slice, double> number)
    {
        double[] sorted = [.. slices.Select(number).Order()];
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return new Rounds(median, sorted[0], sorted[^1]);
    }
}
