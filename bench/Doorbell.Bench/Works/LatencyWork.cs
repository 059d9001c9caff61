using System.Globalization;

namespace Doorbell.Bench;

/// <summary>An open loop at half the rate at which the yardstick is saturated, found in the same run.</summary>
/// <param name="program">The load generator.</param>
internal sealed class LatencyWork(LoadProgram program) : IWork
{
    private const int RoundsToFind = 3;
    private const double Share = 0.5;

    private static readonly TimeSpan _length = TimeSpan.FromSeconds(1.2); // so that the 99.9th percentile has some hundred beyond it
    private static readonly TimeSpan _start = TimeSpan.FromMilliseconds(200);
    private static readonly string[] _saturation = ["closed-loop", "--connections", "50"];

    private string[] _openLoop = [];

    public async Task<string?> PrepareAsync(RunningServer yardstick, CancellationToken cancellation)
    {
        List<double> rates = [];
        for (int round = 0; round < RoundsToFind; round++)
        {
            rates.Add((await Load.RunAsync(program, yardstick, _saturation, LoadWork.Start, LoadWork.Length, cancellation))
                .RequestsPerSecond);
        }

        double saturation = Spread.Of(rates)!.Value.Median;
        _openLoop = ["open-loop", "--connections", "50", "--rate", (Share * saturation).ToString("0", CultureInfo.InvariantCulture)];
        return string.Create(CultureInfo.InvariantCulture,
            $"{Share * saturation:#,0} requests a second; {yardstick.Server.Name} is saturated at {saturation:#,0}");
    }

    public Task WarmUpAsync(RunningServer server, CancellationToken cancellation) =>
        LoadWork.WarmUpAsync(program, server, _saturation, cancellation);

    public async Task<Sample> MeasureAsync(RunningServer server, CancellationToken cancellation)
    {
        LoadReport report = await Load.RunAsync(program, server, _openLoop, _start, _length, cancellation);
        return new Sample(report.Latency!.P99 / 1e3, report, []);
    }
}
