using CsCheck;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>What becomes of datagrams on a bad link; all at fixed seeds, so a failure is a change of the model.</summary>
public sealed class LinkTests
{
    private const int Many = 100_000;

    /// <summary>Of a hundred thousand, five standard deviations: one run in a million is further away by chance.</summary>
    private const double Deviations = 5;

    private static readonly LinkOptions _faulty = new()
    {
        Loss = 0.1,
        BurstLoss = BurstLoss.Of(0.05, 4),
        Duplicate = 0.1,
        Reorder = 0.1,
        Corrupt = 0.1,
        Delay = TimeSpan.FromMilliseconds(20),
        Jitter = TimeSpan.FromMilliseconds(10),
        JitterDistribution = JitterDistribution.Normal,
        BitsPerSecond = 10_000_000,
        Mtu = 1500,
    };

    private static readonly Gen<(int Gap, int Length)[]> _traffic = Gen.Select(Gen.Int[0, 30_000], Gen.Int[0, 2000]).Array[1, 200];

    [Theory]
    [InlineData(0.01, 1)]
    [InlineData(0.3, 2)]
    [InlineData(0.99, 3)]
    public void Each_fault_happens_as_often_as_asked(double probability, long seed)
    {
        AssertNear(probability, CountsOf(new LinkOptions { Loss = probability }, seed).DroppedBy(LinkDrop.Loss));
        AssertNear(probability, CountsOf(new LinkOptions { Duplicate = probability }, seed).Duplicated);
        AssertNear(probability, CountsOf(new LinkOptions { Reorder = probability }, seed).Reordered);
        AssertNear(probability, CountsOf(new LinkOptions { Corrupt = probability }, seed).Corrupted);
    }

    [Fact]
    public void None_and_all_are_none_and_all()
    {
        Assert.Equal(Many, CountsOf(LinkOptions.Perfect, seed: 1).Delivered);
        Assert.Equal(0, CountsOf(new LinkOptions { Loss = 1, Duplicate = 1 }, seed: 1).Delivered);
        Assert.Equal(2 * Many, CountsOf(new LinkOptions { Duplicate = 1 }, seed: 1).Delivered);
    }

    [Theory]
    [InlineData(0.05, 8, 1)]
    [InlineData(0.3, 3, 2)]
    public void Bursts_lose_as_much_and_last_as_long_as_asked(double loss, double length, long seed)
    {
        Link link = new(new LinkOptions { BurstLoss = BurstLoss.Of(loss, length) }, seed);
        bool[] lost = [.. Enumerable.Range(0, Many).Select(_ => link.Next(TimeSpan.Zero, 100).IsDropped)];
        int bursts = lost.Skip(1).Zip(lost).Count(static pair => pair.First && !pair.Second);
        double actualLoss = lost.Count(static isLost => isLost) / (double)Many;
        double actualLength = lost.Count(static isLost => isLost) / (double)bursts;

        // Datagrams of a burst share a fate, so there are only as many throws as bursts.
        Assert.InRange(actualLoss, loss * (1 - (Deviations / Math.Sqrt(bursts))), loss * (1 + (Deviations / Math.Sqrt(bursts))));
        Assert.InRange(actualLength, length * (1 - (Deviations / Math.Sqrt(bursts))), length * (1 + (Deviations / Math.Sqrt(bursts))));
        Assert.Equal(loss, link.Options.BurstLoss!.MeanLoss, precision: 9);
        Assert.Equal(length, link.Options.BurstLoss!.MeanLength, precision: 9);
    }

    [Fact]
    public void The_same_seed_and_datagrams_have_the_same_fates() => Gen.Select(_traffic, Gen.Long).Sample(static (traffic, seed) =>
        Assert.Equal(FatesOf(_faulty, seed, traffic), FatesOf(_faulty, seed, traffic)));

    [Fact]
    public void Another_seed_has_other_fates()
    {
        (int, int)[] traffic = [.. Enumerable.Repeat((10_000, 100), 100)];
        Assert.NotEqual(FatesOf(_faulty, 1, traffic), FatesOf(_faulty, 2, traffic));
    }

    [Fact]
    public void A_seed_has_these_fates_for_ever()
    {
        Link link = new(new LinkOptions { Loss = 0.3, Duplicate = 0.3, Corrupt = 0.3 }, seed: 42);
        string fates = string.Join(' ', Enumerable.Range(0, 16).Select(_ => link.Next(TimeSpan.Zero, 100))
            .Select(static fate => $"{fate.Arrivals}{(fate.CorruptedBit is { } bit ? $":{bit}" : "")}"));
        Assert.Equal("0 1:395 1 0 1:296 2 0 2 0 1:270 2 1 0 1 1 1:194", fates);
    }

    [Fact]
    public void To_change_one_fault_changes_no_other() => Gen.Select(_traffic, Gen.Long, Gen.Double[0, 1]).Sample(
        static (traffic, seed, probability) =>
        {
            // Without a rate, as what is in the queue depends on what came before by itself.
            LinkOptions options = _faulty with { BitsPerSecond = 0, Loss = 0, BurstLoss = null, Mtu = 0 };
            LinkFate[] before = FatesOf(options, seed, traffic);
            LinkFate[] after = FatesOf(options with { Loss = probability }, seed, traffic);
            Assert.All(before.Zip(after), static pair => Assert.True(pair.Second.IsDropped
                || (pair.First.CorruptedBit == pair.Second.CorruptedBit && pair.First.Arrivals == pair.Second.Arrivals
                    && pair.First.IsReordered == pair.Second.IsReordered)));
            LinkFate[] other = FatesOf(options with { Duplicate = probability, Jitter = TimeSpan.Zero }, seed, traffic);
            Assert.All(before.Zip(other), static pair => Assert.True(
                pair.First.CorruptedBit == pair.Second.CorruptedBit && pair.First.IsReordered == pair.Second.IsReordered));
        });

    [Fact]
    public void Every_datagram_is_counted_once() => Gen.Select(_traffic, Gen.Long).Sample(static (traffic, seed) =>
    {
        Link link = new(_faulty, seed);
        LinkFate[] fates = FatesOf(link, traffic);
        LinkCounts counts = link.ReadCounts();
        Assert.Equal(traffic.Length, counts.Received);
        Assert.Equal(fates.Sum(static fate => fate.Arrivals), counts.Delivered);
        Assert.Equal(counts.Received, counts.Dropped + counts.Delivered - counts.Duplicated);
        Assert.Equal(0, counts.DroppedBy(LinkDrop.None));
        Assert.All(fates.Zip(traffic), static pair => Assert.Equal(
            pair.Second.Length + LinkOptions.HeaderBytes > 1500, pair.First.Drop == LinkDrop.TooLarge));
    });

    [Fact]
    public void Corruption_flips_one_bit()
    {
        Link link = new(new LinkOptions { Corrupt = 1 }, seed: 5);
        HashSet<int> bits = [];
        for (int i = 0; i < 1000; i++)
        {
            byte[] datagram = new byte[4];
            LinkFate fate = link.Next(TimeSpan.Zero, datagram.Length);
            fate.Apply(datagram);
            Assert.Equal(1, datagram.Sum(static part => byte.PopCount(part)));
            bits.Add(fate.CorruptedBit!.Value);
        }

        Assert.Equal(32, bits.Count);
        Assert.Null(link.Next(TimeSpan.Zero, 0).CorruptedBit);
    }

    [Fact]
    public void Options_change_between_datagrams()
    {
        Link link = new(LinkOptions.Perfect, seed: 1);
        Assert.False(link.Next(TimeSpan.Zero, 1).IsDropped);
        link.Options = link.Options with { Loss = 1 };
        Assert.Equal(LinkDrop.Loss, link.Next(TimeSpan.Zero, 1).Drop);
        Assert.Throws<ArgumentOutOfRangeException>(() => link.Options = link.Options with { Loss = double.NaN });
        Assert.Equal(1, link.Options.Loss);
    }

    private static LinkCounts CountsOf(LinkOptions options, long seed)
    {
        Link link = new(options, seed);
        for (int i = 0; i < Many; i++)
        {
            link.Next(TimeSpan.Zero, 100);
        }

        return link.ReadCounts();
    }

    private static LinkFate[] FatesOf(LinkOptions options, long seed, (int Gap, int Length)[] traffic) =>
        FatesOf(new Link(options, seed), traffic);

    private static LinkFate[] FatesOf(Link link, (int Gap, int Length)[] traffic)
    {
        TimeSpan now = TimeSpan.Zero;
        List<LinkFate> fates = [];
        foreach ((int gap, int length) in traffic)
        {
            now += TimeSpan.FromTicks(gap);
            fates.Add(link.Next(now, length));
        }

        return [.. fates];
    }

    private static void AssertNear(double probability, long count)
    {
        double deviation = Math.Sqrt(Many * probability * (1 - probability));
        Assert.InRange(count, (Many * probability) - (Deviations * deviation), (Many * probability) + (Deviations * deviation));
    }
}
