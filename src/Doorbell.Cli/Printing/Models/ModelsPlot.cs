using System.Globalization;
using Doorbell.Cli.Printing.Plots;
using Doorbell.Lab.Models;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.Plottables;

namespace Doorbell.Cli.Printing.Models;

/// <summary>What was measured, as one picture: processor time by model, and the wait of a new client by the number of slow ones.</summary>
internal static class ModelsPlot
{
    private const int PictureWidth = 1200;
    private const int PictureHeight = 520;
    private const double BarWidth = 0.38;

    private static readonly MarkerShape[] _markers =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond,
        MarkerShape.FilledTriangleDown, MarkerShape.OpenCircle, MarkerShape.OpenSquare,
    ];

    /// <summary>Draws it and writes the file; why it could not, or null.</summary>
    public static string? Write(IReadOnlyList<ModelResult> results, Schedule schedule, FileInfo file)
    {
        List<ModelResult> measured = [.. results.Where(static result => result.Error is null)];
        Multiplot picture = new() { Layout = new Columns() };
        picture.Subplots.RemoveAt(0);
        picture.AddPlot(CpuByModel(measured));
        picture.AddPlot(WaitBySlowClients(measured, schedule.Cap));
        return PlotFile.Write(file, picture, PictureWidth, PictureHeight);
    }

    private static Plot CpuByModel(List<ModelResult> results)
    {
        Plot plot = NewPlot("Server CPU per request");
        Bars(plot, results, "a new connection for each request", -BarWidth / 2, "#4E79A7", static result => result.ConnectEachTime);
        Bars(plot, results, "a kept connection", BarWidth / 2, "#F28E2B", static result => result.PingPong);
        plot.Axes.Bottom.SetTicks([.. results.Select(static (_, at) => (double)at)], [.. results.Select(static result => result.Model)]);
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.XLabel("median of the rounds, with the lowest and the highest");
        plot.YLabel("µs, logarithmic");
        plot.Grid.XAxisStyle.IsVisible = false;
        double top = Math.Log10(results.Max(static result => Cpu(result.ConnectEachTime).Highest)) + 0.7;
        DecadeTicks(plot, 0, top);
        plot.Axes.SetLimits(-0.6, results.Count - 0.4, 0, top);
        plot.ShowLegend(Alignment.UpperRight);
        return plot;
    }

    private static Rounds Cpu(IReadOnlyList<Slice> rounds) => Rounds.Of(rounds, static round => round.CpuPerRequest);

    private static void Bars(
        Plot plot, List<ModelResult> results, string name, double offset, string color, Func<ModelResult, IReadOnlyList<Slice>> work)
    {
        foreach ((int at, ModelResult result) in results.Index())
        {
            Rounds cpu = Cpu(work(result));
            BarPlot bar = plot.Add.Bar(new Bar
            {
                Position = at + offset,
                Value = Height(cpu.Median),
                Size = BarWidth,
                FillColor = Color.FromHex(color),
                LineWidth = 0,
            });
            if (at == 0)
            {
                bar.LegendText = name;
            }

            LinePlot whisker = plot.Add.Line(at + offset, Height(cpu.Lowest), at + offset, Height(cpu.Highest));
            whisker.LineColor = Color.FromHex("#333333");
            Text label = plot.Add.Text(cpu.Median.ToString(cpu.Median < 100 ? "0.#" : "#,0", CultureInfo.InvariantCulture), at + offset,
                Height(cpu.Highest));
            label.Alignment = Alignment.LowerCenter;
            label.LabelFontSize = 11;
            label.LabelFontColor = Color.FromHex("#333333");
        }
    }

    /// <summary>On the logarithmic axis; nothing is lower than its foot, 1 µs.</summary>
    private static double Height(double microseconds) => Math.Log10(Math.Max(microseconds, 1));

    private static void DecadeTicks(Plot plot, double bottom, double top)
    {
        int[] decades = [.. Enumerable.Range((int)Math.Ceiling(bottom), (int)Math.Floor(top) - (int)Math.Ceiling(bottom) + 1)];
        plot.Axes.Left.SetTicks([.. decades.Select(static power => (double)power)],
            [.. decades.Select(static power => Math.Pow(10, power).ToString("#,0.##", CultureInfo.InvariantCulture))]);
    }

    private static Plot WaitBySlowClients(List<ModelResult> results, TimeSpan cap)
    {
        Plot plot = NewPlot("How long a new client waits for its answer");
        double least = Math.Min(0.05, results.SelectMany(static result => result.Waits).Min(static wait => wait?.TotalMilliseconds ?? 1));
        double bottom = Math.Floor(Math.Log10(least) * 2) / 2;
        double top = Math.Log10(cap.TotalMilliseconds);
        const double LaneHeight = 0.14;
        double ceiling = top + LaneHeight * (results.Count + 2.5);
        VerticalSpan unanswered = plot.Add.VerticalSpan(top, ceiling);
        unanswered.FillColor = Color.FromHex("#EEEEEE");
        Text says = plot.Add.Text($"no answer within {cap.TotalMilliseconds:0} ms", -0.3, ceiling - LaneHeight / 2);
        says.Alignment = Alignment.UpperLeft;
        says.LabelFontSize = 12;
        foreach ((int at, ModelResult result) in results.Index())
        {
            double lane = top + LaneHeight * (results.Count - at);
            double[] waits = [.. result.Waits.Select(wait => wait is { } answered ? Math.Log10(answered.TotalMilliseconds) : lane)];
            Scatter line = plot.Add.Scatter([.. waits.Select(static (_, k) => (double)k)], waits);
            line.LegendText = result.Model;
            line.MarkerShape = _markers[at % _markers.Length];
            line.MarkerSize = 8;
            line.LineWidth = 1.5f;
        }

        plot.Axes.Bottom.SetTicks(
            [.. ModelsBench.SlowClientCounts.Select(static (_, k) => (double)k)],
            [.. ModelsBench.SlowClientCounts.Select(static count => $"{count}")]);
        DecadeTicks(plot, bottom, top);
        plot.XLabel("clients that hold a connection with half a line");
        plot.YLabel("ms, logarithmic");
        plot.Axes.SetLimits(-0.5, ModelsBench.SlowClientCounts.Count - 0.5, bottom, ceiling);
        plot.ShowLegend(Edge.Right);
        return plot;
    }

    private static Plot NewPlot(string title)
    {
        Plot plot = new();
        plot.Font.Set(PlotSvg.Font);
        plot.Title(title);
        return plot;
    }
}
