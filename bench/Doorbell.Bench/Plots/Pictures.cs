using ScottPlot;
using ScottPlot.MultiplotLayouts;

namespace Doorbell.Bench;

/// <summary>What was measured, as pictures: one a question.</summary>
internal static class Pictures
{
    private const int Width = 1200;
    private const int HeightOfRow = 430;

    /// <summary>Writes those whose rows were measured into a folder.</summary>
    public static void Write(string folder, IReadOnlyList<RowResult> results)
    {
        Directory.CreateDirectory(folder);
        Bars(folder, "cpu.svg", results, Measure.CpuPerRequest);
        Bars(folder, "cpu-datagrams.svg", results, Measure.CpuPerDatagram);
        Bars(folder, "throughput.svg", results, Measure.BytesPerCpuSecond);
        foreach (RowResult result in results.Where(Measured))
        {
            if (result.Row.Measure == Measure.Latency)
            {
                Write(folder, "latency.svg", [LatencyPlot.Of(result)]);
            }
            else if (result.Row.Measure == Measure.Memory)
            {
                Write(folder, "memory.svg", [MemoryPlot.Of(result)]);
            }
        }
    }

    /// <summary>A plot in our look.</summary>
    public static Plot New(string title)
    {
        Plot plot = new();
        plot.Font.Set(PlotSvg.Font);
        plot.Title(title, 14);
        return plot;
    }

    private static bool Measured(RowResult result) => result.Servers.Any(static server => server.Figure is not null);

    private static void Bars(string folder, string file, IReadOnlyList<RowResult> results, Measure measure)
    {
        Plot[] plots = [.. results.Where(result => result.Row.Measure == measure && Measured(result)).Select(BarsPlot.Of)];
        if (plots.Length > 0)
        {
            Write(folder, file, plots);
        }
    }

    private static void Write(string folder, string file, Plot[] plots)
    {
        const int Columns = 2;
        int columns = Math.Min(Columns, plots.Length);
        int rows = (plots.Length + columns - 1) / columns;
        Multiplot picture = new() { Layout = new Grid(rows, columns) };
        picture.Subplots.RemoveAt(0);
        foreach (Plot plot in plots)
        {
            picture.AddPlot(plot);
        }

        File.WriteAllBytes(Path.Combine(folder, file), PlotSvg.Of(picture, Width, rows * HeightOfRow));
    }
}
