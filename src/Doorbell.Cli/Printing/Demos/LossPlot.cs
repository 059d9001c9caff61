using System.Globalization;
using Doorbell.Cli.Printing.Plots;
using Doorbell.Lab.Demos.Loss;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.Plottables;

namespace Doorbell.Cli.Printing.Demos;

/// <summary>What was lost, as one picture: answers, doubled effects and times by loss.</summary>
internal static class LossPlot
{
    private const int PictureWidth = 1200;
    private const int PictureHeight = 420;
    private static readonly string[] _colors = ["#E15759", "#F28E2B", "#76B7B2", "#4E79A7"];

    /// <summary>Draws it and writes the file; why it could not, or null.</summary>
    public static string? Write(IReadOnlyList<LossRun> runs, FileInfo file)
    {
        Multiplot picture = new() { Layout = new Columns() };
        picture.Subplots.RemoveAt(0);
        picture.AddPlot(Answered(runs));
        picture.AddPlot(Doubled(runs));
        picture.AddPlot(Times(runs));
        return PlotFile.Write(file, picture, PictureWidth, PictureHeight);
    }

    private static Plot Answered(IReadOnlyList<LossRun> runs)
    {
        Plot plot = NewPlot("Answered", runs);
        foreach (LossWay way in Enum.GetValues<LossWay>())
        {
            Line(plot, way, runs, run => 100 * run.Of(way).AnsweredShare).LegendText = LossReport.Name(way);
        }

        plot.YLabel("% of the questions");
        plot.Axes.SetLimitsY(0, 105);
        plot.ShowLegend(Alignment.LowerLeft);
        return plot;
    }

    private static Plot Doubled(IReadOnlyList<LossRun> runs)
    {
        Plot plot = NewPlot("Effects that happened more than once", runs);
        foreach (LossWay way in new[] { LossWay.Again, LossWay.FirstContact, LossWay.Reliable })
        {
            Line(plot, way, runs, run => Share(run.Of(way)));
        }

        plot.YLabel("% of the questions");
        double most = runs.Max(static run => Share(run.Of(LossWay.Again)));
        plot.Axes.SetLimitsY(-1, Math.Max(10, most * 1.1));
        return plot;
    }

    private static Plot Times(IReadOnlyList<LossRun> runs)
    {
        Plot plot = NewPlot("Time to the answer: median, thin p99", runs);
        foreach (LossWay way in Enum.GetValues<LossWay>())
        {
            Line(plot, way, runs, run => Height(run.Of(way).Percentile(50)));
            Scatter tail = Line(plot, way, runs, run => Height(run.Of(way).Percentile(99)));
            tail.LineWidth = 1;
            tail.MarkerShape = MarkerShape.OpenCircle;
        }

        int[] powers = [-1, 0, 1, 2, 3, 4, 5];
        plot.Axes.Left.SetTicks([.. powers.Select(static power => (double)power)],
            [.. powers.Select(static power => Math.Pow(10, power).ToString("#,0.#", CultureInfo.InvariantCulture))]);
        plot.YLabel("ms, logarithmic");
        plot.Axes.SetLimitsY(-1.2, 5);
        return plot;
    }

    /// <summary>In per cent.</summary>
    private static double Share(LossTally tally) => 100.0 * tally.Doubled / Math.Max(tally.Asked, 1);

    private static double Height(TimeSpan? time) => time is { } known ? Math.Log10(Math.Max(known.TotalMilliseconds, 0.1)) : double.NaN;

    private static Scatter Line(Plot plot, LossWay way, IReadOnlyList<LossRun> runs, Func<LossRun, double> value)
    {
        double[] losses = [.. runs.Select(static run => 100 * run.Loss)];
        double[] values = [.. runs.Select(value)];
        Scatter line = plot.Add.Scatter(losses, values);
        line.Color = Color.FromHex(_colors[(int)way]);
        line.LineWidth = 2;
        line.MarkerSize = 7;
        return line;
    }

    private static Plot NewPlot(string title, IReadOnlyList<LossRun> runs)
    {
        Plot plot = new();
        plot.Font.Set(PlotSvg.Font);
        plot.Title(title, 14);
        plot.XLabel("% lost each way");
        plot.Axes.Bottom.SetTicks([.. runs.Select(static run => 100 * run.Loss)], [.. runs.Select(static run => $"{100 * run.Loss:0}")]);
        plot.Axes.SetLimitsX(-2, (100 * runs[^1].Loss) + 2);
        return plot;
    }
}
