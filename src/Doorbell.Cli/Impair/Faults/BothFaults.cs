namespace Doorbell.Cli.Impair;

/// <summary>How bad both directions are.</summary>
/// <param name="Up">From clients to the upstream.</param>
/// <param name="Down">Back.</param>
internal sealed record BothFaults(WayFaults Up, WayFaults Down)
{
    public static BothFaults None { get; } = new(WayFaults.None, WayFaults.None);
}
