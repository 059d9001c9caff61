namespace Doorbell.Links;

/// <summary>
/// All the chance in one datagram's fate, drawn whether it is needed or not, always in this order: so to change one option changes
/// no other fault.
/// </summary>
internal readonly struct LinkDraw
{
    public readonly double Loss;
    public readonly double BurstChange;
    public readonly double BurstLoss;
    public readonly double Duplicate;
    public readonly double Reorder;
    public readonly double Corrupt;
    public readonly ulong CorruptedBit;
    public readonly double Uniform;
    public readonly double CopyUniform;
    public readonly double Normal;
    public readonly double CopyNormal;

    public LinkDraw(ref LinkRandom random)
    {
        Loss = random.NextDouble();
        BurstChange = random.NextDouble();
        BurstLoss = random.NextDouble();
        Duplicate = random.NextDouble();
        Reorder = random.NextDouble();
        Corrupt = random.NextDouble();
        CorruptedBit = random.Next();
        (Uniform, Normal) = Deviation(ref random);
        (CopyUniform, CopyNormal) = Deviation(ref random);
    }

    /// <summary>An even one from -1 to 1, and twelve even ones' sum, whose standard deviation is 1.</summary>
    private static (double Uniform, double Normal) Deviation(ref LinkRandom random)
    {
        const int DrawsOfFour = 3;
        double uniform = (random.NextDouble() * 2) - 1;
        long sum = 0;
        for (int i = 0; i < DrawsOfFour; i++)
        {
            ulong four = random.Next();
            sum += (long)((four & 0xffff) + ((four >> 16) & 0xffff) + ((four >> 32) & 0xffff) + (four >> 48));
        }

        return (uniform, (sum / 65_535.0) - (2 * DrawsOfFour));
    }
}
