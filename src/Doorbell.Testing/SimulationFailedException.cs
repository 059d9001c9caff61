namespace Doorbell.Testing;

/// <summary>A scenario failed; the seed replays it.</summary>
public sealed class SimulationFailedException : Exception
{
    internal SimulationFailedException(ulong seed, Exception fault)
        : base($"Seed {seed} failed; {Simulation.SeedVariable}={seed} or Simulation.Run({seed}, …) replays it. {fault.Message}", fault) =>
        Seed = seed;

    /// <summary>Which seed.</summary>
    public ulong Seed { get; }
}
