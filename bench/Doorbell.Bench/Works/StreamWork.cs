namespace Doorbell.Bench;

/// <summary>One long stream through <c>echo</c>; it ends by itself.</summary>
/// <param name="program">The load generator.</param>
internal sealed class StreamWork(LoadProgram program) : IWork
{
    private static readonly TimeSpan _most = TimeSpan.FromSeconds(30);
    private static readonly string[] _gibibyte = ["stream", "--total", "1073741824"];
    private static readonly string[] _short = ["stream", "--total", "67108864"];

    public Task<string?> PrepareAsync(RunningServer yardstick, CancellationToken cancellation) => Task.FromResult<string?>(null);

    public Task WarmUpAsync(RunningServer server, CancellationToken cancellation) => RunAsync(server, _short, cancellation);

    public async Task<Sample> MeasureAsync(RunningServer server, CancellationToken cancellation)
    {
        LoadReport report = await RunAsync(server, _gibibyte, cancellation);
        return new Sample(report.BytesPerCpuSecond / 1e9, report, []);
    }

    private Task<LoadReport> RunAsync(RunningServer server, IReadOnlyList<string> work, CancellationToken cancellation) =>
        Load.RunAsync(program, server, work, TimeSpan.Zero, _most, cancellation);
}
