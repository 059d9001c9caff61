namespace Doorbell.Links;

/// <summary>Chances of numbered things, such as whether the third connection is among those that have a fault.</summary>
public static class LinkChance
{
    /// <summary>
    /// An even chance, of which those of other numbers and of other seeds tell nothing. The same seed and number give the same, on every
    /// machine and for ever.
    /// </summary>
    /// <param name="seed">Of the chances.</param>
    /// <param name="number">Which one it is.</param>
    /// <returns>From 0 to less than 1. It is below 0.3 for 30% of the numbers.</returns>
    public static double Of(long seed, long number)
    {
        // Two steps: were both added up, the second number of a seed would have the chance of the first one of the next seed.
        LinkRandom ofSeed = new(unchecked((ulong)seed));
        LinkRandom own = new(ofSeed.Next() ^ unchecked((ulong)number));
        return own.NextDouble();
    }
}
