namespace Doorbell.Links;

/// <summary>Numbers from 0 to 1.</summary>
internal static class Probability
{
    /// <exception cref="ArgumentOutOfRangeException">It is none.</exception>
    public static void Require(double value, string name)
    {
        // Written so that NaN is refused too.
        if (!(value is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is a probability, from 0 to 1.");
        }
    }
}
