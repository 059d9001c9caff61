namespace Doorbell.Sessions;

/// <summary>
/// When to send a question again whose answer may be lost: after intervals that grow, each with jitter so that many clients don't
/// fall into step. RFC 8085 section 3.1.1: start from a second while the round-trip time is unknown, and back off.
/// </summary>
public sealed record RetrySchedule
{
    /// <summary>The defaults: at about 0, 1, 2.5 and 4.7 seconds, which is within the usual time-out of 5.</summary>
    public static RetrySchedule Default { get; } = new();

    /// <summary>How often the question is sent at most. Default 4.</summary>
    public int Tries { get; init; } = 4;

    /// <summary>From the first try to the second, before jitter. Default 1 second.</summary>
    public TimeSpan FirstInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Each interval is so many times the one before. Default 1.5.</summary>
    public double Growth { get; init; } = 1.5;

    /// <summary>An interval is shortened by up to this part of it, at random. Default 0.1.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>How long to wait for an answer after a try, before the next one.</summary>
    /// <param name="tried">How often it has been sent; from 1.</param>
    /// <param name="random">Where the jitter comes from.</param>
    /// <returns>The interval; <see cref="TimeSpan.MaxValue"/> after the last try, when only the time-out is left.</returns>
    public TimeSpan IntervalAfter(int tried, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tried);
        return tried >= Tries
            ? TimeSpan.MaxValue
            : FirstInterval * Math.Pow(Growth, tried - 1) * (1 - (Jitter * random.NextDouble()));
    }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No try, a zero interval, shrinking intervals, or jitter outside 0 to 1.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Tries);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(FirstInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(Growth, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Jitter);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Jitter, 1);
    }
}
