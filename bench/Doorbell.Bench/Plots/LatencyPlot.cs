using ScottPlot;

namespace Doorbell.Bench;

/// <summary>How long answers take, by percentile.</summary>
internal static class LatencyPlot
{
    private static readonly (string Name, Func<Percentiles, long> Of)[] _percentiles =
    [
        ("p50", static latency => latency.P50),
        ("p90", static latency => latency.P90),
        ("p99", static latency => latency.P99),
        ("p99.9", static latency => latency.P999),
        ("longest", static latency => latency.Max),
    ];

    public static Plot Of(RowResult result) => LinesPlot.Of(
        $"How long an answer takes: {result.Condition}",
        [.. _percentiles.Select(static percentile => percentile.Name)],
        "µs from when it should have been asked, logarithmic",
        "percentile; medians of the rounds",
        [.. result.Servers.Where(static server => server.Figure is not null).Select(static server => (server.Server.Name,
            _percentiles.Select(percentile => server.OfLoad(load => percentile.Of(load.Latency!) / 1e3)!.Value.Median).ToArray()))]);
}
