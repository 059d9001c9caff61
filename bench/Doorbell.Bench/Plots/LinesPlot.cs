using System.Globalization;
using ScottPlot;
using ScottPlot.Plottables;

namespace Doorbell.Bench;

/// <summary>A line for each server over a few named places, on a logarithmic axis.</summary>
internal static class LinesPlot
{
    private static readonly MarkerShape[] _markers =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond,
        MarkerShape.FilledTriangleDown, MarkerShape.OpenCircle, MarkerShape.OpenSquare, MarkerShape.OpenDiamond,
    ];

    /// <param name="title">The picture's.</param>
    /// <param name="places">Along the bottom.</param>
    /// <param name="left">What the left axis is.</param>
    /// <param name="bottom">What the bottom axis is.</param>
    /// <param name="lines">A server's name and its figure at each place, greater than 0.</param>
    public static Plot Of(
        string title, IReadOnlyList<string> places, string left, string bottom, IReadOnlyList<(string Server, double[] Figures)> lines)
    {
        Plot plot = Pictures.New(title);
        foreach ((int at, (string server, double[] figures)) in lines.Index())
        {
            double[] along = [.. figures.Select(static (_, place) => (double)place)];
            double[] up = [.. figures.Select(Math.Log10)];
            Scatter line = plot.Add.Scatter(along, up);
            line.LegendText = server;
            line.MarkerShape = _markers[at % _markers.Length];
            line.MarkerSize = 8;
            line.LineWidth = 1.5f;
        }

        double lowest = Math.Log10(lines.Min(static line => line.Figures.Min())) - 0.1;
        double highest = Math.Log10(lines.Max(static line => line.Figures.Max())) + 0.1;
        double[] ticks = [.. Ticks(lowest, highest)];
        plot.Axes.Left.SetTicks(
            ticks, [.. ticks.Select(static power => Math.Pow(10, power).ToString("#,0.##", CultureInfo.InvariantCulture))]);
        plot.Axes.Bottom.SetTicks([.. places.Select(static (_, place) => (double)place)], [.. places]);
        plot.XLabel(bottom, 12);
        plot.YLabel(left, 12);
        plot.Axes.SetLimits(-0.3, places.Count - 0.7, lowest, highest);
        plot.ShowLegend(Edge.Right);
        return plot;
    }

    /// <summary>At 1, 2 and 5 of each power of ten.</summary>
    private static IEnumerable<double> Ticks(double lowest, double highest)
    {
        for (int power = (int)Math.Floor(lowest); power <= highest; power++)
        {
            foreach (int digit in (int[])[1, 2, 5])
            {
                double tick = power + Math.Log10(digit);
                if (tick >= lowest && tick <= highest)
                {
                    yield return tick;
                }
            }
        }
    }
}
