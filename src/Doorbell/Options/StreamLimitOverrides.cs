namespace Doorbell;

/// <summary>
/// Bounds of connections that stand in the place of a service's own <see cref="StreamLimits"/>, each by the same name; null, the
/// default of all, leaves the service's.
/// </summary>
public record StreamLimitOverrides
{
    /// <inheritdoc cref="StreamLimits.MaxMessageBytes"/>
    public int? MaxMessageBytes { get; init; }

    /// <inheritdoc cref="StreamLimits.OutputHighMark"/>
    public int? OutputHighMark { get; init; }

    /// <inheritdoc cref="StreamLimits.MaxPendingOutput"/>
    public int? MaxPendingOutput { get; init; }

    /// <inheritdoc cref="StreamLimits.IdleTimeout"/>
    public TimeSpan? IdleTimeout { get; init; }

    /// <inheritdoc cref="StreamLimits.FirstByteTimeout"/>
    public TimeSpan? FirstByteTimeout { get; init; }

    /// <inheritdoc cref="StreamLimits.OpeningTimeout"/>
    public TimeSpan? OpeningTimeout { get; init; }

    /// <inheritdoc cref="StreamLimits.MaxLifetime"/>
    public TimeSpan? MaxLifetime { get; init; }

    /// <inheritdoc cref="StreamLimits.MinDataRate"/>
    public int? MinDataRate { get; init; }

    /// <inheritdoc cref="StreamLimits.MinDataRateGrace"/>
    public TimeSpan? MinDataRateGrace { get; init; }

    /// <inheritdoc cref="StreamLimits.CloseTimeout"/>
    public TimeSpan? CloseTimeout { get; init; }

    /// <inheritdoc cref="StreamLimits.MaxStepsPerRound"/>
    public int? MaxStepsPerRound { get; init; }

    /// <summary>The limits with what is set here in their place.</summary>
    /// <param name="limits">A service's, for example.</param>
    /// <returns>
    /// Where <see cref="MaxPendingOutput"/> alone is set, to less than the mark from which on a session takes no more input, the mark is
    /// lowered to it.
    /// </returns>
    public StreamLimits ApplyTo(StreamLimits limits)
    {
        int pending = MaxPendingOutput ?? limits.MaxPendingOutput;
        return limits with
        {
            MaxMessageBytes = MaxMessageBytes ?? limits.MaxMessageBytes,
            OutputHighMark = OutputHighMark ?? Math.Min(limits.OutputHighMark, pending),
            MaxPendingOutput = pending,
            IdleTimeout = IdleTimeout ?? limits.IdleTimeout,
            FirstByteTimeout = FirstByteTimeout ?? limits.FirstByteTimeout,
            OpeningTimeout = OpeningTimeout ?? limits.OpeningTimeout,
            MaxLifetime = MaxLifetime ?? limits.MaxLifetime,
            MinDataRate = MinDataRate ?? limits.MinDataRate,
            MinDataRateGrace = MinDataRateGrace ?? limits.MinDataRateGrace,
            CloseTimeout = CloseTimeout ?? limits.CloseTimeout,
            MaxStepsPerRound = MaxStepsPerRound ?? limits.MaxStepsPerRound,
        };
    }
}
