using System.Globalization;
using ScottPlot;

namespace Doorbell.Bench;

/// <summary>What idle connections take, by how many there are.</summary>
internal static class MemoryPlot
{
    private const double Least = 1; // KiB: on a logarithmic axis nothing has no place

    public static Plot Of(RowResult result)
    {
        ServerResult[] servers = [.. result.Servers.Where(static server => server.Figure is not null)];
        int[] places = [.. servers[0].Samples[0].Memory.Select(static point => point.Connections)];
        return LinesPlot.Of(
            "User memory of idle connections, each answered once",
            [.. places.Select(static connections => connections.ToString("#,0", CultureInfo.InvariantCulture))],
            "KiB beyond what the server had before, logarithmic",
            "connections; medians of the rounds",
            [.. servers.Select(server => (server.Server.Name, places.Select((_, place) =>
                Math.Max(Least, server.Of(sample => sample.Memory[place].Bytes / 1024.0)!.Value.Median)).ToArray()))]);
    }
}
