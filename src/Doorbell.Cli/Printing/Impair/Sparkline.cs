namespace Doorbell.Cli.Printing.Impair;

/// <summary>The last so many figures as a line of bars.</summary>
internal sealed class Sparkline(int most)
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    private readonly Queue<double> _figures = new(Enumerable.Repeat(0.0, most));

    public void Add(double figure)
    {
        _figures.Dequeue();
        _figures.Enqueue(figure);
    }

    /// <summary>The largest is a full bar; what is more than nothing is more than the lowest.</summary>
    public override string ToString()
    {
        double largest = _figures.Max();
        return string.Concat(_figures.Select(figure => figure <= 0
            ? Bars[0]
            : Bars[Math.Clamp((int)Math.Ceiling(figure / largest * (Bars.Length - 1)), 1, Bars.Length - 1)]));
    }
}
