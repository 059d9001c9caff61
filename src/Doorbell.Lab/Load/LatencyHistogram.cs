using System.Numerics;

namespace Doorbell.Lab.Load;

/// <summary>
/// Times in nanoseconds, counted in steps that grow with the value, as HdrHistogram has them: 256 steps for each doubling, so that no value
/// that is read is off by more than 1/256 of it. Adding allocates nothing. One thread's own.
/// </summary>
public sealed class LatencyHistogram
{
    private const int StepBits = 8;
    private const int Steps = 1 << StepBits;
    private const int Buckets = (64 - StepBits) * Steps;

    private readonly long[] _buckets = new long[Buckets];

    /// <summary>How many values there are.</summary>
    public long Count { get; private set; }

    /// <summary>The largest value, exactly; 0 if there is none.</summary>
    public long Max { get; private set; }

    /// <summary>The mean, exactly up to rounding; 0 if there is none.</summary>
    public double Mean => Count == 0 ? 0 : Sum / Count;

    private double Sum { get; set; }

    /// <summary>Adds a value; a negative one counts as 0.</summary>
    public void Add(long nanoseconds)
    {
        long value = Math.Max(nanoseconds, 0);
        _buckets[BucketOf(value)]++;
        Count++;
        Sum += value;
        if (value > Max)
        {
            Max = value;
        }
    }

    /// <summary>Adds all values of another.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < Buckets; i++)
        {
            _buckets[i] += other._buckets[i];
        }

        Count += other.Count;
        Sum += other.Sum;
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>Forgets all values.</summary>
    public void Clear()
    {
        Array.Clear(_buckets);
        Count = 0;
        Sum = 0;
        Max = 0;
    }

    /// <summary>The value that so many percent of the values do not exceed (nearest rank); 0 if there are none.</summary>
    /// <param name="percent">0 to 100.</param>
    /// <returns>In nanoseconds: the true value or up to 1/256 more.</returns>
    public long Percentile(double percent)
    {
        long rank = Math.Clamp((long)Math.Ceiling(percent / 100 * Count), 1, Math.Max(Count, 1));
        long seen = 0;
        for (int bucket = 0; bucket < Buckets && Count > 0; bucket++)
        {
            seen += _buckets[bucket];
            if (seen >= rank)
            {
                return Math.Min(HighestOf(bucket), Max);
            }
        }

        return 0;
    }

    private static int BucketOf(long value)
    {
        if (value < Steps)
        {
            return (int)value;
        }

        int shift = 63 - BitOperations.LeadingZeroCount((ulong)value) - StepBits;
        return ((shift + 1) << StepBits) + (int)((value >> shift) - Steps);
    }

    /// <summary>The greatest value that falls into the bucket.</summary>
    private static long HighestOf(int bucket)
    {
        int doubling = bucket >> StepBits;
        return doubling == 0 ? bucket : (((long)(bucket & (Steps - 1)) + Steps + 1) << (doubling - 1)) - 1;
    }
}
