namespace Doorbell.Bench;

/// <summary>A way to ask servers.</summary>
internal interface IWork
{
    /// <summary>Once before the rounds, on the yardstick. What it finds out is told with the results.</summary>
    Task<string?> PrepareAsync(RunningServer yardstick, CancellationToken cancellation);

    /// <summary>So that a server has compiled and taken what it takes once.</summary>
    Task WarmUpAsync(RunningServer server, CancellationToken cancellation);

    /// <summary>One round of one server.</summary>
    Task<Sample> MeasureAsync(RunningServer server, CancellationToken cancellation);
}
