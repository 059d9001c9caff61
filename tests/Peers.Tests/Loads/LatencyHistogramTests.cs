using Doorbell.Lab.Load;

namespace Doorbell.Tests.Loads;

/// <summary>The histogram's percentiles beside those of all values, sorted.</summary>
public sealed class LatencyHistogramTests
{
    private static readonly double[] _percents = [0, 1, 25, 50, 90, 99, 99.9, 99.99, 100];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Percentiles_are_those_of_the_sorted_values_or_a_256th_more(int seed)
    {
        Random random = new(seed);
        long[] values = [.. Enumerable.Range(0, random.Next(1, 3_000)).Select(_ => Value(random))];
        LatencyHistogram histogram = Of(values);
        long[] sorted = [.. values.Order()];
        foreach (double percent in _percents)
        {
            long exact = sorted[(int)Math.Max(Math.Ceiling(percent / 100 * sorted.Length), 1) - 1];
            long read = histogram.Percentile(percent);
            Assert.True(read >= exact && read - exact <= exact / 256, $"{percent}% is {exact}, and was read as {read}");
        }

        Assert.Equal(sorted[^1], histogram.Max);
        Assert.Equal(values.Length, histogram.Count);
        Assert.Equal(values.Select(static value => (double)value).Average(), histogram.Mean, 1e-6 * histogram.Mean);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Two_that_are_added_are_one_with_all_values(int seed)
    {
        Random random = new(seed);
        long[] some = [.. Enumerable.Range(0, random.Next(0, 200)).Select(_ => Value(random))];
        long[] others = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => Value(random))];
        LatencyHistogram sum = Of(some);
        sum.Add(Of(others));
        LatencyHistogram all = Of([.. some, .. others]);
        Assert.Equal(_percents.Select(all.Percentile), _percents.Select(sum.Percentile));
        Assert.Equal((all.Count, all.Max), (sum.Count, sum.Max));
    }

    [Fact]
    public void Small_values_are_exact_and_the_ends_of_the_scale_are_there()
    {
        LatencyHistogram histogram = new();
        Assert.Equal((0, 0, 0d), (histogram.Percentile(50), histogram.Max, histogram.Mean));
        for (int value = 0; value < 512; value++)
        {
            histogram.Clear();
            histogram.Add(value);
            histogram.Add(long.MaxValue);
            Assert.Equal(value, histogram.Percentile(50));
            Assert.Equal(long.MaxValue, histogram.Percentile(100));
        }

        histogram.Clear();
        histogram.Add(-5);
        Assert.Equal((1, 0), (histogram.Count, histogram.Percentile(100)));
    }

    [Fact]
    public void Adding_allocates_nothing()
    {
        LatencyHistogram histogram = new();
        histogram.Add(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long value = 1; value < 1_000_000; value += 997)
        {
            histogram.Add(value * value);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static LatencyHistogram Of(long[] values)
    {
        LatencyHistogram histogram = new();
        Array.ForEach(values, histogram.Add);
        return histogram;
    }

    /// <summary>Of any magnitude.</summary>
    private static long Value(Random random) => random.NextInt64() >> random.Next(1, 63);
}
