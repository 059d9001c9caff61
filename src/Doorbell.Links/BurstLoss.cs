namespace Doorbell.Links;

/// <summary>
/// Losses in bursts: a link that is good or bad, and changes with each datagram by chance. Gilbert, "Capacity of a burst-noise
/// channel", 1960, and Elliott, "Estimates of error rates for codes on burst-noise channels", 1963, both in the Bell System
/// Technical Journal.
/// </summary>
/// <param name="Enter">The probability that a good link is bad from the next datagram on: 0 to 1.</param>
/// <param name="Leave">The probability that a bad link is good from the next datagram on: more than 0, to 1.</param>
public sealed record BurstLoss(double Enter, double Leave)
{
    /// <summary>The probability that a datagram is lost while the link is bad. Default 1: all are.</summary>
    public double LossWhenBad { get; init; } = 1;

    /// <summary>The probability that a datagram is lost while the link is good. Default 0.</summary>
    public double LossWhenGood { get; init; }

    /// <summary>The part of all datagrams that is lost, in the long run.</summary>
    public double MeanLoss => ((Enter * LossWhenBad) + (Leave * LossWhenGood)) / (Enter + Leave);

    /// <summary>How many datagrams a bad time lasts, on average.</summary>
    public double MeanLength => 1 / Leave;

    /// <summary>Losses of a part of all datagrams, in bursts of a length on average, in which all are lost.</summary>
    /// <param name="loss">The part: 0 to less than 1.</param>
    /// <param name="meanLength">Datagrams in a burst on average, from 1 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no such bursts: so many losses need longer ones.</exception>
    public static BurstLoss Of(double loss, double meanLength)
    {
        // The part of bad time is Enter / (Enter + Leave).
        double enter = loss / ((1 - loss) * meanLength);
        if (!(loss is >= 0 and < 1) || !(meanLength is >= 1 and <= 1e6) || enter > 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(loss), loss, $"There are no bursts of {meanLength:0.##} datagrams on average that lose {loss:P2} of all: a burst "
                    + "has from 1 to 1,000,000, and at least loss / (1 - loss).");
        }

        return new BurstLoss(enter, 1 / meanLength);
    }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A probability outside 0 to 1, or a bad time that never ends.</exception>
    public void Validate()
    {
        Probability.Require(Enter, nameof(Enter));
        Probability.Require(Leave, nameof(Leave));
        Probability.Require(LossWhenBad, nameof(LossWhenBad));
        Probability.Require(LossWhenGood, nameof(LossWhenGood));
        ArgumentOutOfRangeException.ThrowIfZero(Leave);
    }
}
