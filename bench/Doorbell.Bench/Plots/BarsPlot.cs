using ScottPlot;
using ScottPlot.Plottables;

namespace Doorbell.Bench;

/// <summary>One row's figure by server: a bar is the median, its whisker the lowest and the highest round.</summary>
internal static class BarsPlot
{
    private const double BarHeight = 0.62;
    private const double SpaceForLabels = 1.35;
    private const string Dark = "#333333";

    public static Plot Of(RowResult result)
    {
        Plot plot = Pictures.New(result.Row.Title);
        ServerResult[] servers = [.. result.Servers.Where(static server => server.Figure is not null).Reverse()];
        double end = servers.Max(static server => server.Figure!.Value.Highest) * SpaceForLabels;
        foreach ((int at, ServerResult server) in servers.Index())
        {
            Spread figure = server.Figure!.Value;
            plot.Add.Bar(new Bar
            {
                Position = at,
                Value = figure.Median,
                Size = BarHeight,
                FillColor = Color.FromHex(ColorOf(server.Server.Role)),
                LineWidth = 0,
                Orientation = Orientation.Horizontal,
            });
            LinePlot whisker = plot.Add.Line(figure.Lowest, at, figure.Highest, at);
            whisker.LineColor = Color.FromHex(Dark);
            string ratio = server.RatioTo(result.Yardstick) is { } to ? $" ({Figures.Ratio(to.Median)}×)" : "";
            Text label = plot.Add.Text(Figures.Text(figure.Median) + ratio, figure.Highest + end / 100, at);
            label.Alignment = Alignment.MiddleLeft;
            label.LabelFontSize = 11;
            label.LabelFontColor = Color.FromHex(Dark);
        }

        plot.Axes.Left.SetTicks(
            [.. servers.Select(static (_, at) => (double)at)], [.. servers.Select(static server => server.Server.Name)]);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.Grid.YAxisStyle.IsVisible = false;
        plot.XLabel($"{result.Row.Measure.Title}, {result.Row.Measure.Unit}; ratio to {result.Row.Yardstick}", 12);
        plot.Axes.SetLimits(0, end, -0.6, servers.Length - 0.4);
        return plot;
    }

    private static string ColorOf(Role role) => role switch
    {
        Role.Ours => "#F28E2B",
        Role.Yardstick => "#4E79A7",
        _ => "#A0A8B0",
    };
}
