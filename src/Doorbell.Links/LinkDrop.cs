namespace Doorbell.Links;

/// <summary>Why a link lost a datagram.</summary>
public enum LinkDrop
{
    /// <summary>It did not: the datagram arrives.</summary>
    None,

    /// <summary>Larger than <see cref="LinkOptions.Mtu"/>.</summary>
    TooLarge,

    /// <summary>No room in the queue (<see cref="LinkOptions.QueueBytes"/>).</summary>
    QueueFull,

    /// <summary>By chance, by itself (<see cref="LinkOptions.Loss"/>).</summary>
    Loss,

    /// <summary>In a burst (<see cref="LinkOptions.BurstLoss"/>).</summary>
    BurstLoss,
}
