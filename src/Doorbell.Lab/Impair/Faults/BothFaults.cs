namespace Doorbell.Lab.Impair.Faults;

/// <summary>How bad both directions are.</summary>
/// <param name="Up">From clients to the upstream.</param>
/// <param name="Down">Back.</param>
public sealed record BothFaults(WayFaults Up, WayFaults Down)
{
    /// <summary>A perfect network.</summary>
    public static BothFaults None { get; } = new(WayFaults.None, WayFaults.None);
}
