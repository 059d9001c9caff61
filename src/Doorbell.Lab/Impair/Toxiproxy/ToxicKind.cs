using Doorbell.Lab.Http;
using Doorbell.Lab.Impair.Faults;
using Doorbell.Links;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>What a toxic can do: toxiproxy's name of it, its attributes, and which fault that is here.</summary>
/// <param name="Name">As in <c>latency</c>.</param>
/// <param name="AttributeNames">Each is a whole number from 0 on.</param>
/// <param name="Most">The largest number of each.</param>
/// <param name="Faults">The fault that these numbers make.</param>
internal sealed record ToxicKind(
    string Name, IReadOnlyList<string> AttributeNames, IReadOnlyList<long> Most, Func<IReadOnlyList<long>, WayFaults> Faults)
{
    private const long Milliseconds = 3_600_000;
    private const long Microseconds = Milliseconds * 1000;
    private const long Kilobytes = 125_000_000;
    private const long Bytes = 1L << 50;
    private const long Piece = 1 << 30;
    private const string Slicer = "slicer";

    private static readonly ToxicKind[] _all =
    [
        new("latency", ["latency", "jitter"], [Milliseconds, Milliseconds],
            static of => Link(LinkOptions.Perfect with { Delay = InMilliseconds(of[0]), Jitter = InMilliseconds(of[1]) })),
        new("bandwidth", ["rate"], [Kilobytes], static of => of[0] == 0
            ? Stream(StreamFaults.None with { StallAfter = 0 })
            : Link(LinkOptions.Perfect with { BitsPerSecond = of[0] * 8000 })),
        new("slow_close", ["delay"], [Milliseconds],
            static of => Stream(StreamFaults.None with { SlowClose = InMilliseconds(of[0]) })),
        new("timeout", ["timeout"], [Milliseconds], static of => Stream(of[0] == 0
            ? StreamFaults.None with { StallAfter = 0 }
            : StreamFaults.None with { CloseAfter = 0, CloseWait = InMilliseconds(of[0]) })),
        new("reset_peer", ["timeout"], [Milliseconds],
            static of => Stream(StreamFaults.None with { ResetAfter = 0, ResetWait = InMilliseconds(of[0]) })),
        new(Slicer, ["average_size", "size_variation", "delay"], [Piece, Piece, Microseconds],
            static of => Stream(StreamFaults.None with
            {
                SliceBytes = (int)of[0], SliceVariation = (int)of[1], SliceGap = TimeSpan.FromMicroseconds(of[2]),
            })),
        new("limit_data", ["bytes"], [Bytes], static of => Stream(StreamFaults.None with { CloseAfter = of[0] })),
    ];

    public static ToxicKind? Find(string name) => _all.FirstOrDefault(kind => kind.Name == name);

    /// <exception cref="HttpException">A number is too large or too small.</exception>
    public void Check(IReadOnlyList<long> attributes)
    {
        foreach ((int index, string name) in AttributeNames.Index())
        {
            if (attributes[index] < 0 || attributes[index] > Most[index])
            {
                throw new HttpException(400, $"bad request body: {name} is a number from 0 to {Most[index]}");
            }
        }

        if (Name == Slicer && (attributes[0] == 0 || attributes[1] >= attributes[0]))
        {
            throw new HttpException(400, "bad request body: average_size is 1 at least, and more than size_variation");
        }
    }

    private static TimeSpan InMilliseconds(long number) => TimeSpan.FromMilliseconds(number);

    private static WayFaults Link(LinkOptions link) => WayFaults.None with { Link = link };

    private static WayFaults Stream(StreamFaults stream) => WayFaults.None with { Stream = stream };
}
