using System.Globalization;
using Doorbell.Links;

namespace Doorbell.Lab.Impair.Faults;

/// <summary>All that can be set.</summary>
public static class FaultSettings
{
    private const string APercentage = "a percentage from 0% to 100%, as in 10%";
    private const string ATime = "a time of at most an hour, as in 50ms";

    /// <summary>All settings, in the order of the help.</summary>
    public static IReadOnlyList<FaultSetting> All { get; } =
    [
        Share("loss", "Lose so many percent, each by itself", static link => link.Loss, static (link, part) => link with { Loss = part }),
        Datagrams("burst-loss", "P[,LENGTH]", "Lose so many percent, LENGTH [default: 5] in a row on average",
            "a percentage below 100% and perhaps a length of at least 1 and at least P / (100% - P), as in 5%,8",
            static (link, parts) => parts.Length <= 2 && FaultValue.BurstLoss(parts) is { } burst
                ? link with { BurstLoss = burst } : null,
            static (to, from) => to with { BurstLoss = from.BurstLoss },
            static link => string.Create(CultureInfo.InvariantCulture,
                $"{FaultValue.OfPercentage(link.BurstLoss!.MeanLoss)},{link.BurstLoss.MeanLength:0.######}")),
        Share("duplicate", "So many percent arrive twice",
            static link => link.Duplicate, static (link, part) => link with { Duplicate = part }),
        Datagrams("reorder", "P[,TIME]", "Hold so many percent back for TIME [default: 10ms], so that others overtake them",
            $"{APercentage}, and perhaps a time of at most an hour, as in 10%,20ms",
            static (link, parts) => parts.Length <= 2 && FaultValue.Percentage(parts[0]) is { } part
                && TimeOr(parts, link.ReorderDelay) is { } time ? link with { Reorder = part, ReorderDelay = time } : null,
            static (to, from) => to with { Reorder = from.Reorder, ReorderDelay = from.ReorderDelay },
            static link => $"{FaultValue.OfPercentage(link.Reorder)},{FaultValue.OfTime(link.ReorderDelay)}"),
        Share("corrupt", "Flip a bit in so many percent", static link => link.Corrupt, static (link, part) => link with { Corrupt = part }),
        Both("delay", "TIME", "How long each travels", ATime,
            static (link, parts) => parts.Length == 1 && FaultValue.Time(parts[0]) is { } time ? link with { Delay = time } : null,
            static (to, from) => to with { Delay = from.Delay },
            static link => FaultValue.OfTime(link.Delay)),
        Both("jitter", "TIME[,KIND]", "By how much the delay differs, more or less: uniform [default], or normal, a standard deviation",
            $"{ATime}, and perhaps uniform or normal, as in 5ms,normal",
            static (link, parts) => parts.Length <= 2 && FaultValue.Time(parts[0]) is { } time
                && Distribution(parts, link.JitterDistribution) is { } kind
                ? link with { Jitter = time, JitterDistribution = kind } : null,
            static (to, from) => to with { Jitter = from.Jitter, JitterDistribution = from.JitterDistribution },
            static link => FaultValue.OfTime(link.Jitter) + (link.JitterDistribution == JitterDistribution.Normal ? ",normal" : "")),
        Both("rate", "BITS[,BYTES]", "Bits a second, as in 64k or 10m; what comes faster waits in a queue of BYTES [default: 64k]",
            "bits a second from 1 to 1000g, as in 64k or 10m, and perhaps a queue's bytes from 1 to 1g, as in 10m,256k",
            static (link, parts) => parts.Length <= 2 && FaultValue.Rate(parts[0]) is { } rate && Queue(parts, link.QueueBytes) is { } queue
                ? link with { BitsPerSecond = rate, QueueBytes = queue } : null,
            static (to, from) => to with { BitsPerSecond = from.BitsPerSecond, QueueBytes = from.QueueBytes },
            static link => link.BitsPerSecond == 0
                ? FaultWords.Off : $"{FaultValue.OfRate(link.BitsPerSecond)},{FaultValue.OfBytes(link.QueueBytes)}"),
        Datagrams("mtu", "BYTES", "Lose packets larger than so many bytes, headers counted", "a number from 68 to 65535",
            static (link, parts) => parts.Length == 1 && FaultValue.Bytes(parts[0], 68, 65_535) is { } bytes
                ? link with { Mtu = (int)bytes } : null,
            static (to, from) => to with { Mtu = from.Mtu },
            static link => link.Mtu.ToString(CultureInfo.InvariantCulture)),
        .. StreamSettings.All,
        new()
        {
            Name = "share",
            Form = "P",
            Description = "Give the faults to so many percent of the connections, or of the clients that send datagrams [default: all]",
            Takes = APercentage,
            OfDatagrams = true,
            OfStreams = true,
            Set = static (faults, parts) => parts.Length == 1 && FaultValue.Percentage(parts[0]) is { } share
                ? faults with { Share = share } : null,
            Copy = static (to, from) => to with { Share = from.Share },
            Show = static faults => FaultValue.OfPercentage(faults.Share),
        },
    ];

    /// <summary>The setting of a name; null if there is none.</summary>
    /// <param name="name">As in <c>burst-loss</c>.</param>
    public static FaultSetting? Find(string name) => All.FirstOrDefault(setting => setting.Name == name);

    private static FaultSetting Share(
        string name, string description, Func<LinkOptions, double> get, Func<LinkOptions, double, LinkOptions> set) =>
        Datagrams(name, "P", description, APercentage,
            (link, parts) => parts.Length == 1 && FaultValue.Percentage(parts[0]) is { } part ? set(link, part) : null,
            (to, from) => set(to, get(from)),
            link => FaultValue.OfPercentage(get(link)));

    private static FaultSetting Both(
        string name, string form, string description, string takes, Func<LinkOptions, string[], LinkOptions?> set,
        Func<LinkOptions, LinkOptions, LinkOptions> copy, Func<LinkOptions, string> show) =>
        Datagrams(name, form, description, takes, set, copy, show) with { OfStreams = true };

    private static FaultSetting Datagrams(
        string name, string form, string description, string takes, Func<LinkOptions, string[], LinkOptions?> set,
        Func<LinkOptions, LinkOptions, LinkOptions> copy, Func<LinkOptions, string> show) => new()
        {
            Name = name,
            Form = form,
            Description = description,
            Takes = takes,
            OfDatagrams = true,
            Set = (faults, parts) => set(faults.Link, parts) is { } link ? faults with { Link = link } : null,
            Copy = (to, from) => to with { Link = copy(to.Link, from.Link) },
            Show = faults => show(faults.Link),
        };

    private static TimeSpan? TimeOr(string[] parts, TimeSpan otherwise) => parts.Length < 2 ? otherwise : FaultValue.Time(parts[1]);

    private static JitterDistribution? Distribution(string[] parts, JitterDistribution otherwise) => parts switch
    {
        [_] => otherwise,
        [_, "uniform"] => JitterDistribution.Uniform,
        [_, "normal"] => JitterDistribution.Normal,
        _ => null,
    };

    private static int? Queue(string[] parts, int otherwise) =>
        parts.Length < 2 ? otherwise : (int?)FaultValue.Bytes(parts[1], 1, 1 << 30);
}
