namespace Doorbell.Bench;

/// <summary>What kept a round from going faster.</summary>
internal enum Limit
{
    /// <summary>Its processor was busy.</summary>
    Server,

    /// <summary>The load's processor was: the server could have done more.</summary>
    Driver,

    /// <summary>No processor was busy with either: something else of this machine took them, and the figures suffer from it.</summary>
    Neither,

    /// <summary>The open loop's rate, as it should be.</summary>
    Rate,
}
