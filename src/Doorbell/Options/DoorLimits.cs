namespace Doorbell;

/// <summary>The bounds of one door. What is null, the default of all, is the server's, and what that leaves out is the service's.</summary>
public sealed record DoorLimits : StreamLimitOverrides
{
    /// <summary>No bounds of its own.</summary>
    public static DoorLimits None { get; } = new();

    /// <summary>
    /// Connections at once at this door, of those that <see cref="ServerOptions.MaxConnections"/> allows to all doors together. What
    /// becomes of one more says <see cref="ServerOptions.AtLimit"/>. Where a service is a program, its datagrams' processes count too.
    /// </summary>
    public int? MaxConnections { get; init; }

    /// <summary>
    /// Connections at once at this door from one IPv4 address or one IPv6 /64; one more is accepted and closed. It stands in the place of
    /// <see cref="ServerOptions.MaxConnectionsPerAddress"/>, where the connections of this door then count no more.
    /// </summary>
    public int? MaxConnectionsPerAddress { get; init; }

    /// <inheritdoc cref="DatagramLimits.MaxDatagramBytes"/>
    public int? MaxDatagramBytes { get; init; }

    /// <inheritdoc cref="DatagramLimits.MaxAmplification"/>
    public int? MaxAmplification { get; init; }

    /// <inheritdoc cref="DatagramLimits.LoopGuardAnswers"/>
    public int? LoopGuardAnswers { get; init; }

    /// <inheritdoc cref="DatagramLimits.MaxAnswersPerTurn"/>
    public int? MaxAnswersPerTurn { get; init; }

    /// <inheritdoc cref="DatagramLimits.MaxOpenedSockets"/>
    public int? MaxOpenedSockets { get; init; }

    /// <summary>The limits with what is set here in their place.</summary>
    /// <param name="limits">A service's, for example.</param>
    public DatagramLimits ApplyTo(DatagramLimits limits) => limits with
    {
        MaxDatagramBytes = MaxDatagramBytes ?? limits.MaxDatagramBytes,
        MaxAmplification = MaxAmplification ?? limits.MaxAmplification,
        LoopGuardAnswers = LoopGuardAnswers ?? limits.LoopGuardAnswers,
        MaxAnswersPerTurn = MaxAnswersPerTurn ?? limits.MaxAnswersPerTurn,
        MaxOpenedSockets = MaxOpenedSockets ?? limits.MaxOpenedSockets,
    };

    /// <summary>Refuses values that make no sense, whatever the service's are.</summary>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections ?? 1, nameof(MaxConnections));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnectionsPerAddress ?? 1, nameof(MaxConnectionsPerAddress));
    }
}
