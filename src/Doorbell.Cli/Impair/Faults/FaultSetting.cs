namespace Doorbell.Cli.Impair;

/// <summary>What can be set by an option <c>--NAME VALUE</c> and by a line <c>NAME VALUE</c>.</summary>
internal sealed record FaultSetting
{
    public required string Name { get; init; }

    /// <summary>The value's form, for help.</summary>
    public required string Form { get; init; }

    /// <summary>What it does, for help.</summary>
    public required string Description { get; init; }

    /// <summary>What a value has to be, for the one who got it wrong.</summary>
    public required string Takes { get; init; }

    public bool OfDatagrams { get; init; }

    public bool OfStreams { get; init; }

    /// <summary>Sets it to a value, whose parts were separated by commas; null if that is no such value.</summary>
    public required Func<WayFaults, string[], WayFaults?> Set { get; init; }

    /// <summary>Makes it in the first what it is in the second.</summary>
    public required Func<WayFaults, WayFaults, WayFaults> Copy { get; init; }

    /// <summary>Its value, as <see cref="Set"/> takes it.</summary>
    public required Func<WayFaults, string> Show { get; init; }

    public bool IsOff(WayFaults faults) => Copy(WayFaults.None, faults) == WayFaults.None;
}
