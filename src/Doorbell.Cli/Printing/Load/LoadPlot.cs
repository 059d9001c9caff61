using System.Globalization;
using Doorbell.Cli.Printing.Plots;
using Doorbell.Lab.Load;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.Plottables;

namespace Doorbell.Cli.Printing.Load;

/// <summary>A load test as one picture: the latency by percentile, and over time beside the requests a second.</summary>
internal static class LoadPlot
{
    private const int PictureWidth = 1200;
    private const int PictureHeight = 480;

    /// <summary>So many nines: 99.999 % at the right.</summary>
    private const int MaxNines = 5;

    /// <summary>Draws it and writes the file; why it could not, or null.</summary>
    public static string? Write(LoadResult result, LoadOptions options, FileInfo file)
    {
        Multiplot picture = new() { Layout = new Columns() };
        picture.Subplots.RemoveAt(0);
        picture.AddPlot(ByPercentile(result));
        picture.AddPlot(OverTime(result, options));
        return PlotFile.Write(file, picture, PictureWidth, PictureHeight);
    }

    /// <summary>By the share of slower answers: each step to the right is a tenth of them.</summary>
    private static Plot ByPercentile(LoadResult result)
    {
        Plot plot = NewPlot("Latency by percentile");
        double most = Math.Clamp(Math.Log10(Math.Max(result.Latency.Count, 10)), 1, MaxNines);
        double[] nines = [.. Enumerable.Range(0, (int)(most * 20) + 1).Select(static step => step / 20.0)];
        double[] heights = [.. nines.Select(x => Height(result.Latency.Percentile(100 - (100 / Math.Pow(10, x)))))];
        Scatter line = plot.Add.ScatterLine(nines, heights);
        line.LineWidth = 2;
        double[] ticks = [0, Math.Log10(2), 1, 2, 3, 4, 5];
        string[] names = ["0%", "50%", "90%", "99%", "99.9%", "99.99%", "99.999%"];
        plot.Axes.Bottom.SetTicks(ticks, names);
        plot.XLabel("so many of the answers took no longer");
        Times(plot, result.Latency.Percentile(0), Math.Max(result.Latency.Max, 1));
        plot.Axes.SetLimitsX(0, most);
        return plot;
    }

    private static Plot OverTime(LoadResult result, LoadOptions options)
    {
        Plot plot = NewPlot("Latency and requests over time");
        LoadInterval[] answered = [.. result.Intervals.Where(static interval => interval.Requests > 0)];
        Add(plot, answered, "99%", "#F28E2B", static interval => interval.P99);
        Add(plot, answered, "50%", "#4E79A7", static interval => interval.P50);
        double[] middles = [.. result.Intervals.Select(Middle)];
        double[] rates = [.. result.Intervals.Select(static interval => interval.RequestsPerSecond)];
        Scatter rate = plot.Add.ScatterLine(middles, rates);
        rate.LegendText = "requests a second (right)";
        rate.Color = Color.FromHex("#BBBBBB");
        rate.Axes.YAxis = plot.Axes.Right;
        plot.Axes.Right.Label.Text = "requests a second";
        plot.Axes.Right.Min = 0;
        plot.Axes.Right.Max = result.Intervals.Select(static interval => interval.RequestsPerSecond).DefaultIfEmpty(1).Max() * 1.2;
        plot.XLabel($"seconds{Before(options)}");
        Times(
            plot,
            answered.Select(static interval => interval.P50).DefaultIfEmpty(1).Min(),
            answered.Select(static interval => interval.P99).DefaultIfEmpty(1).Max());
        plot.ShowLegend(Alignment.LowerRight);
        return plot;
    }

    private static string Before(LoadOptions options)
    {
        double before = (options.Ramp + options.Warmup).TotalSeconds;
        return before == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; measured from {before:0.##} on");
    }

    private static void Add(Plot plot, LoadInterval[] intervals, string name, string color, Func<LoadInterval, long> value)
    {
        double[] middles = [.. intervals.Select(Middle)];
        double[] heights = [.. intervals.Select(interval => Height(value(interval)))];
        Scatter line = plot.Add.ScatterLine(middles, heights);
        line.LegendText = name;
        line.Color = Color.FromHex(color);
        line.LineWidth = 2;
    }

    private static double Middle(LoadInterval interval) => (interval.Begin + (interval.Length / 2)).TotalSeconds;

    /// <summary>On the logarithmic axis.</summary>
    private static double Height(long nanoseconds) => Math.Log10(Math.Max(nanoseconds, 1));

    private static void Times(Plot plot, long least, long most)
    {
        int bottom = (int)Math.Floor(Height(least));
        int top = Math.Max((int)Math.Ceiling(Height(most)), bottom + 1);
        int[] decades = [.. Enumerable.Range(bottom, top - bottom + 1)];
        plot.Axes.Left.SetTicks(
            [.. decades.Select(static power => (double)power)],
            [.. decades.Select(static power => LoadReport.Text((long)Math.Pow(10, power)))]);
        plot.Axes.SetLimitsY(bottom, top);
        plot.YLabel("latency, logarithmic");
    }

    private static Plot NewPlot(string title)
    {
        Plot plot = new();
        plot.Font.Set(PlotSvg.Font);
        plot.Title(title);
        return plot;
    }
}
