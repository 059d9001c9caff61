using System.Globalization;

namespace Doorbell.Bench;

/// <summary>Idle connections, more and more of them, each of which has asked once: what a server's own memory grows by.</summary>
/// <param name="program">The load generator.</param>
internal sealed class IdleWork(LoadProgram program) : IWork
{
    private static readonly int[] _steps = [1000, 2500, 5000, 10000];
    private static readonly TimeSpan _mostForAStep = TimeSpan.FromSeconds(30);
    private static readonly string[] _few = ["closed-loop", "--connections", "50"];

    public Task<string?> PrepareAsync(RunningServer yardstick, CancellationToken cancellation) => Task.FromResult<string?>(null);

    public Task WarmUpAsync(RunningServer server, CancellationToken cancellation) =>
        LoadWork.WarmUpAsync(program, server, _few, cancellation);

    public async Task<Sample> MeasureAsync(RunningServer server, CancellationToken cancellation)
    {
        long before = server.PrivateBytes();
        List<MemoryPoint> points = [];
        await using Child load = Load.Start(program, server, ["hold-idle"]);
        foreach (int step in _steps)
        {
            await load.WriteLineAsync(step.ToString(CultureInfo.InvariantCulture));
            await load.ReadLineAsync(_mostForAStep, cancellation);
            points.Add(new MemoryPoint(step, server.PrivateBytes() - before));
        }

        load.CloseInput();
        Load.Parse(server.Server, await load.ReadLineAsync(_mostForAStep, cancellation));
        return new Sample((double)points[^1].Bytes / points[^1].Connections, null, points);
    }
}
