using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>When datagrams arrive: delay, jitter, order, rate and queue.</summary>
public sealed class LinkTimeTests
{
    private static readonly TimeSpan _delay = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void A_delay_alone_is_exact()
    {
        Link link = new(new LinkOptions { Delay = _delay }, seed: 1);
        Assert.Equal(TimeSpan.FromSeconds(3) + _delay, link.Next(TimeSpan.FromSeconds(3), 100).ArrivesAt);
    }

    [Theory]
    [InlineData(JitterDistribution.Uniform, 0.5773502691896258)]
    [InlineData(JitterDistribution.Normal, 1)]
    public void Jitter_has_its_distribution(JitterDistribution distribution, double deviation)
    {
        const int Count = 100_000;
        Link link = new(
            new LinkOptions { Delay = _delay, Jitter = TimeSpan.FromMilliseconds(5), JitterDistribution = distribution }, seed: 7);

        // A second apart, so that order holds none up.
        double[] jitters = [.. Enumerable.Range(0, Count).Select(i =>
            (link.Next(TimeSpan.FromSeconds(i), 100).ArrivesAt - TimeSpan.FromSeconds(i) - _delay) / TimeSpan.FromMilliseconds(5))];
        double mean = jitters.Average();
        Assert.InRange(mean, -5 * deviation / Math.Sqrt(Count), 5 * deviation / Math.Sqrt(Count));
        Assert.Equal(deviation, Math.Sqrt(jitters.Average(jitter => (jitter - mean) * (jitter - mean))), tolerance: 0.015);
        double most = distribution == JitterDistribution.Uniform ? 1 : 6;
        Assert.All(jitters, jitter => Assert.InRange(jitter, -most, most));

        // Of a normal distribution 68.27% are within one deviation; of an even one all.
        double within = jitters.Count(static jitter => Math.Abs(jitter) <= 1) / (double)Count;
        Assert.Equal(distribution == JitterDistribution.Uniform ? 1 : 0.6827, within, tolerance: 0.01);
    }

    [Fact]
    public void Nothing_arrives_before_it_came()
    {
        Link link = new(new LinkOptions { Jitter = _delay, JitterDistribution = JitterDistribution.Normal }, seed: 1);
        Assert.All(Enumerable.Range(0, 1000), i =>
            Assert.True(link.Next(TimeSpan.FromSeconds(i), 1).ArrivesAt >= TimeSpan.FromSeconds(i)));
    }

    [Fact]
    public void Jitter_keeps_the_order()
    {
        LinkFate[] fates = FatesOf(new LinkOptions { Delay = _delay, Jitter = _delay, Duplicate = 0.2 }, TimeSpan.FromMilliseconds(1));
        TimeSpan[] arrivals = [.. fates.SelectMany(static fate =>
            fate.CopyArrivesAt is { } copy ? new[] { fate.ArrivesAt, copy } : [fate.ArrivesAt])];
        Assert.Equal(arrivals.Order(), arrivals);
    }

    [Fact]
    public void Reordered_datagrams_are_overtaken_and_nothing_else_is()
    {
        LinkOptions options = new() { Delay = _delay, Reorder = 0.1 };
        LinkFate[] fates = FatesOf(options, TimeSpan.FromMilliseconds(1));
        int[] overtaken =
            [.. fates.Index().Select(fate => fates.Skip(fate.Index + 1).Count(later => later.ArrivesAt < fate.Item.ArrivesAt))];
        Assert.All(fates.Zip(overtaken).SkipLast(20), static pair => Assert.Equal(pair.First.IsReordered, pair.Second > 0));

        // Nine datagrams come while one is held for ten milliseconds; those that are held too are not in front of it.
        Assert.Contains(9, overtaken);
        Assert.All(overtaken, static count => Assert.InRange(count, 0, 9));
    }

    [Fact]
    public void A_rate_spaces_datagrams()
    {
        // 97 + 28 bytes are 1000 bits: a millisecond each.
        Link link = new(new LinkOptions { BitsPerSecond = 1_000_000, Delay = _delay }, seed: 1);
        for (int i = 1; i <= 100; i++)
        {
            Assert.Equal(_delay + TimeSpan.FromMilliseconds(i), link.Next(TimeSpan.Zero, 97).ArrivesAt);
        }

        // Idle time is not saved up.
        Assert.Equal(TimeSpan.FromMilliseconds(10_001) + _delay, link.Next(TimeSpan.FromSeconds(10), 97).ArrivesAt);
    }

    [Fact]
    public void Parts_of_a_tick_are_not_lost()
    {
        // 224 bits at 3 Gbit/s take 74.67 ns, less than a tick of 100 ns: so many a second are 3 Gbit/s all the same.
        const int Count = 100_000;
        Link link = new(new LinkOptions { BitsPerSecond = 3_000_000_000, QueueBytes = int.MaxValue }, seed: 1);
        LinkFate[] fates = [.. Enumerable.Range(0, Count).Select(_ => link.Next(TimeSpan.Zero, 0))];
        Assert.Equal(Count * 224 * TimeSpan.TicksPerSecond / 3_000_000_000, fates[^1].ArrivesAt.Ticks);
    }

    [Fact]
    public void A_full_queue_drops_and_then_has_room_again()
    {
        // Of 125 bytes each four are room for 500, a millisecond each.
        Link link = new(new LinkOptions { BitsPerSecond = 1_000_000, QueueBytes = 500 }, seed: 1);
        LinkFate[] burst = [.. Enumerable.Range(0, 10).Select(_ => link.Next(TimeSpan.Zero, 97))];
        Assert.Equal(4, burst.Count(static fate => !fate.IsDropped));
        Assert.All(burst.Skip(4), static fate => Assert.Equal(LinkDrop.QueueFull, fate.Drop));
        Assert.False(link.Next(TimeSpan.FromMilliseconds(1), 97).IsDropped);
        Assert.True(link.Next(TimeSpan.FromMilliseconds(1), 97).IsDropped);
    }

    [Fact]
    public void A_slower_link_has_the_rate_that_was_asked_for()
    {
        // Twice as much as it takes comes for ten seconds: half is lost, and what arrives, arrives at the rate.
        Link link = new(new LinkOptions { BitsPerSecond = 1_000_000 }, seed: 1);
        LinkFate[] fates = [.. Enumerable.Range(0, 20_000).Select(i => link.Next(TimeSpan.FromMilliseconds(i * 0.5), 97))];
        int arriving = fates.Count(static fate => !fate.IsDropped && fate.ArrivesAt <= TimeSpan.FromSeconds(10));
        Assert.InRange(arriving, 9999, 10_000);
    }

    private static LinkFate[] FatesOf(LinkOptions options, TimeSpan apart)
    {
        Link link = new(options, seed: 3);
        return [.. Enumerable.Range(0, 2000).Select(i => link.Next(apart * i, 100))];
    }
}
