namespace Doorbell.Testing;

/// <summary>Runs a scenario over many seeds.</summary>
public static class Simulation
{
    /// <summary>The environment variable that says which seed is the first, as a decimal number; otherwise chance does.</summary>
    public const string SeedVariable = "DOORBELL_SEED";

    /// <summary>Runs a scenario on a new network for each of so many seeds, one after the other.</summary>
    /// <param name="count">How many; at least 1.</param>
    /// <param name="scenario">
    /// Sets up, runs and checks; takes its own chances from the network's <see cref="SimulatedNetwork.Random"/>.
    /// </param>
    /// <exception cref="SimulationFailedException">It failed; the seed is in the message.</exception>
    /// <exception cref="FormatException"><see cref="SeedVariable"/> is no number.</exception>
    public static void RunSeeds(int count, Action<SimulatedNetwork> scenario)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        string? first = Environment.GetEnvironmentVariable(SeedVariable);
        ulong seed = string.IsNullOrEmpty(first)
            ? (ulong)Random.Shared.NextInt64()
            : ulong.Parse(first, System.Globalization.CultureInfo.InvariantCulture);
        for (int i = 0; i < count; i++)
        {
            Run(unchecked(seed + (ulong)i), scenario);
        }
    }

    /// <summary>Runs a scenario with one seed: a failure again, or one pinned as a case.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="scenario">As for <see cref="RunSeeds"/>.</param>
    /// <exception cref="SimulationFailedException">It failed.</exception>
    public static void Run(ulong seed, Action<SimulatedNetwork> scenario)
    {
        try
        {
            scenario(new SimulatedNetwork(seed));
        }
        catch (Exception fault)
        {
            throw new SimulationFailedException(seed, fault);
        }
    }
}
