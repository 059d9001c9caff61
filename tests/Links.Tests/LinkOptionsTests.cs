using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>Options that make no sense are refused; profiles are found and make sense.</summary>
public sealed class LinkOptionsTests
{
    public static TheoryData<LinkOptions> Senseless =>
    [
        new LinkOptions { Loss = -0.1 },
        new LinkOptions { Duplicate = 1.1 },
        new LinkOptions { Reorder = double.NaN },
        new LinkOptions { Corrupt = double.PositiveInfinity },
        new LinkOptions { Delay = TimeSpan.FromTicks(-1) },
        new LinkOptions { Jitter = TimeSpan.FromHours(2) },
        new LinkOptions { ReorderDelay = TimeSpan.FromTicks(-1) },
        new LinkOptions { JitterDistribution = (JitterDistribution)7 },
        new LinkOptions { BitsPerSecond = -1 },
        new LinkOptions { QueueBytes = 0 },
        new LinkOptions { Mtu = 67 },
        new LinkOptions { BurstLoss = new BurstLoss(0.1, 0) },
        new LinkOptions { BurstLoss = new BurstLoss(1.5, 1) },
        new LinkOptions { BurstLoss = new BurstLoss(0.1, 1) { LossWhenBad = 2 } },
    ];

    public static TheoryData<string> Names => [.. LinkProfiles.All.Select(static profile => profile.Name)];

    [Theory]
    [MemberData(nameof(Senseless))]
    public void Senseless_options_are_refused(LinkOptions options) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Link(options, seed: 1));

    [Theory]
    [InlineData(-0.1, 2)]
    [InlineData(1, 2)]
    [InlineData(0.5, 0.5)]
    [InlineData(0.9, 2)]
    [InlineData(0.5, double.NaN)]
    public void There_are_no_such_bursts(double loss, double length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BurstLoss.Of(loss, length));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_profile_is_found_and_carries_datagrams(string name)
    {
        LinkProfile profile = LinkProfiles.Find(name)!;
        foreach (LinkOptions options in new[] { profile.Up, profile.Down })
        {
            Link link = new(options, seed: 1);
            int arrived = Enumerable.Range(0, 1000).Count(i => !link.Next(TimeSpan.FromSeconds(i), 1000).IsDropped);
            Assert.InRange(arrived, 900, 1000);
        }
    }

    [Fact]
    public void A_name_that_is_none_finds_nothing() => Assert.Null(LinkProfiles.Find("carrier-pigeon"));
}
