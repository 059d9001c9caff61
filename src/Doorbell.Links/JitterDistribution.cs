namespace Doorbell.Links;

/// <summary>What a link's jitter means.</summary>
public enum JitterDistribution
{
    /// <summary>Any delay from <see cref="LinkOptions.Delay"/> - jitter to + jitter, all as likely.</summary>
    Uniform,

    /// <summary>
    /// Delays about <see cref="LinkOptions.Delay"/> with jitter as their standard deviation: the sum of twelve even ones, which
    /// every machine reckons alike, and which is never further than six deviations away.
    /// </summary>
    Normal,
}
