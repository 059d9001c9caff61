using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>The link's dice are the published generator.</summary>
public sealed class LinkRandomTests
{
    [Fact]
    public void It_gives_what_the_published_generator_gives_from_the_state_1_2_3_4()
    {
        LinkRandom random = new(1, 2, 3, 4);
        ulong[] values = [.. Enumerable.Range(0, 10).Select(_ => random.Next())];
        Assert.Equal(
            [
                11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360, 607_988_272_756_665_600,
                16_172_922_978_634_559_625, 8_476_171_486_693_032_832, 10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
            ],
            values);
    }

    [Fact]
    public void A_seed_fills_the_state_with_what_SplitMix64_gives()
    {
        LinkRandom seeded = new(1_234_567);
        LinkRandom filled = new(
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431);
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Equal(filled.Next(), seeded.Next()));
    }
}
