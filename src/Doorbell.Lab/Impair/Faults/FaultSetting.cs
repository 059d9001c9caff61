namespace Doorbell.Lab.Impair.Faults;

/// <summary>A fault that can be set by its name and a value, as in <c>delay 20ms</c>.</summary>
public sealed record FaultSetting
{
    /// <summary>Its name, as in <c>burst-loss</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The value's form, for help.</summary>
    public required string Form { get; init; }

    /// <summary>What it does, for help.</summary>
    public required string Description { get; init; }

    /// <summary>What a value has to be, for an error message.</summary>
    public required string Takes { get; init; }

    /// <summary>Whether it can be done to datagrams.</summary>
    public bool OfDatagrams { get; init; }

    /// <summary>Whether it can be done to streams.</summary>
    public bool OfStreams { get; init; }

    /// <summary>Sets it to a value, whose parts were separated by commas; null if that is no such value.</summary>
    public required Func<WayFaults, string[], WayFaults?> Set { get; init; }

    /// <summary>Makes it in the first what it is in the second.</summary>
    public required Func<WayFaults, WayFaults, WayFaults> Copy { get; init; }

    /// <summary>Its value, as <see cref="Set"/> takes it.</summary>
    public required Func<WayFaults, string> Show { get; init; }

    /// <summary>Whether it does nothing.</summary>
    /// <param name="faults">The faults of one direction.</param>
    public bool IsOff(WayFaults faults) => Copy(WayFaults.None, faults) == WayFaults.None;
}
