namespace Doorbell.Bench;

/// <summary>A load that always asks the same way.</summary>
/// <param name="program">The load generator.</param>
/// <param name="figure">What counts.</param>
/// <param name="arguments">The way to ask, and its numbers.</param>
internal sealed class LoadWork(LoadProgram program, Func<LoadReport, double> figure, params string[] arguments) : IWork
{
    /// <summary>How long a round is measured.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMilliseconds(600);

    /// <summary>Before the window opens, so that all connections are under way.</summary>
    public static readonly TimeSpan Start = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan _nativeWarmUp = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _compilerWarmUp = TimeSpan.FromSeconds(2);

    public Task<string?> PrepareAsync(RunningServer yardstick, CancellationToken cancellation) => Task.FromResult<string?>(null);

    public Task WarmUpAsync(RunningServer server, CancellationToken cancellation) => WarmUpAsync(program, server, arguments, cancellation);

    public static Task WarmUpAsync(
        LoadProgram program, RunningServer server, IReadOnlyList<string> arguments, CancellationToken cancellation) => Load.RunAsync(
        program, server, arguments, TimeSpan.Zero, server.Server.CompilesItself ? _compilerWarmUp : _nativeWarmUp, cancellation);

    public async Task<Sample> MeasureAsync(RunningServer server, CancellationToken cancellation)
    {
        LoadReport report = await Load.RunAsync(program, server, arguments, Start, Length, cancellation);
        return new Sample(figure(report), report, []);
    }
}
