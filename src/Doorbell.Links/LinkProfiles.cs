namespace Doorbell.Links;

/// <summary>Kinds of networks by name. Where the numbers come from is told in docs/links.md and beside each.</summary>
public static class LinkProfiles
{
    private const long Megabit = 1_000_000;

    /// <summary>
    /// A busy wireless network's one hop: 3 ms as the median, many more now and then (Sui and others, "Characterizing and Improving
    /// WiFi Latency in Large-Scale Operational Networks", MobiSys 2016), short bursts of loss.
    /// </summary>
    public static LinkProfile Wifi { get; } = Same("wifi", new LinkOptions
    {
        Delay = TimeSpan.FromMilliseconds(1.5),
        Jitter = TimeSpan.FromMilliseconds(1),
        JitterDistribution = JitterDistribution.Normal,
        BurstLoss = BurstLoss.Of(0.005, 3),
        BitsPerSecond = 40 * Megabit,
        QueueBytes = 256 * 1024,
        Mtu = 1500,
    });

    /// <summary>
    /// A mobile network: 13 and 6 Mbit/s as medians (Huang and others, "A Close Examination of Performance and Power Characteristics
    /// of 4G LTE Networks", MobiSys 2012); losses are repaired below IP, and show as jitter.
    /// </summary>
    public static LinkProfile Lte { get; } = UpAndDown("lte", 6 * Megabit, 13 * Megabit, new LinkOptions
    {
        Delay = TimeSpan.FromMilliseconds(35),
        Jitter = TimeSpan.FromMilliseconds(8),
        JitterDistribution = JitterDistribution.Normal,
        Loss = 0.001,
        QueueBytes = 512 * 1024,
        Mtu = 1500,
    });

    /// <summary>
    /// A geostationary satellite: 239.6 ms up and down again (RFC 2488 section 2), with framing and access 300 ms; 50 and 10 Mbit/s.
    /// </summary>
    public static LinkProfile GeoSatellite { get; } = UpAndDown("geo-satellite", 10 * Megabit, 50 * Megabit, new LinkOptions
    {
        Delay = TimeSpan.FromMilliseconds(300),
        Jitter = TimeSpan.FromMilliseconds(5),
        BurstLoss = BurstLoss.Of(0.005, 5),
        QueueBytes = 1024 * 1024,
        Mtu = 1500,
    });

    /// <summary>
    /// A long way over networks that nobody manages: numbers of our choice (ITU-T G.1050 is a model of such networks).
    /// </summary>
    public static LinkProfile LossyWan { get; } = Same("lossy-wan", new LinkOptions
    {
        Delay = TimeSpan.FromMilliseconds(50),
        Jitter = TimeSpan.FromMilliseconds(10),
        JitterDistribution = JitterDistribution.Normal,
        Loss = 0.02,
        BurstLoss = BurstLoss.Of(0.01, 4),
        Duplicate = 0.001,
        Reorder = 0.005,
        ReorderDelay = TimeSpan.FromMilliseconds(20),
        BitsPerSecond = 10 * Megabit,
        Mtu = 1500,
    });

    /// <summary>
    /// A home's line with a queue far too long: 1 Mbit/s up behind 256 KiB, 2 seconds of waiting once it is full (Gettys,
    /// "Bufferbloat: Dark Buffers in the Internet", IEEE Internet Computing 15(3), 2011; Kreibich and others, "Netalyzr", IMC 2010).
    /// </summary>
    public static LinkProfile Bufferbloat { get; } = UpAndDown("bufferbloat", Megabit, 8 * Megabit, new LinkOptions
    {
        Delay = TimeSpan.FromMilliseconds(10),
        QueueBytes = 256 * 1024,
        Mtu = 1500,
    });

    /// <summary>All there are.</summary>
    public static IReadOnlyList<LinkProfile> All { get; } = [Wifi, Lte, GeoSatellite, LossyWan, Bufferbloat];

    /// <summary>The profile of a name, or null.</summary>
    /// <param name="name">As in <see cref="LinkProfile.Name"/>.</param>
    public static LinkProfile? Find(string name) => All.FirstOrDefault(profile => profile.Name == name);

    private static LinkProfile Same(string name, LinkOptions both) => new(name, both, both);

    private static LinkProfile UpAndDown(string name, long up, long down, LinkOptions both) =>
        new(name, both with { BitsPerSecond = up }, both with { BitsPerSecond = down });
}
