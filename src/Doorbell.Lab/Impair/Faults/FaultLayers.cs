using Doorbell.Links;

namespace Doorbell.Lab.Impair.Faults;

/// <summary>Faults that some connections have, and others not.</summary>
/// <param name="Key">Layers of two keys hit connections independently of each other.</param>
/// <param name="Faults">With the share of the connections that have them.</param>
internal sealed record FaultLayer(long Key, WayFaults Faults);

/// <summary>All that is wrong with one direction; what of it a connection has depends on the connection.</summary>
internal sealed class FaultLayers(IReadOnlyList<FaultLayer> layers)
{
    /// <summary>The first layer. Who carries datagrams has no other one.</summary>
    public WayFaults First => layers[0].Faults;

    /// <summary>The faults that a connection has.</summary>
    /// <param name="seed">Of the chances.</param>
    /// <param name="number">The connection's.</param>
    public WayFaults Of(long seed, long number)
    {
        WayFaults all = WayFaults.None;
        foreach (FaultLayer layer in layers)
        {
            if (LinkChance.Of(unchecked(seed + layer.Key), number) < layer.Faults.Share)
            {
                all = layers.Count == 1 ? layer.Faults : Both(all, layer.Faults);
            }
        }

        return all;
    }

    /// <summary>One behind the other, as two bad links in a row are.</summary>
    private static WayFaults Both(WayFaults one, WayFaults other) => new(
        one.Link with
        {
            Delay = Sum(one.Link.Delay, other.Link.Delay),
            Jitter = Sum(one.Link.Jitter, other.Link.Jitter),
            BitsPerSecond = Least(Rate(one), Rate(other)) ?? 0,
        },
        Both(one.Stream, other.Stream));

    private static StreamFaults Both(StreamFaults one, StreamFaults other)
    {
        StreamFaults slicing = Least(one.SliceBytes, other.SliceBytes) == one.SliceBytes ? one : other;
        StreamFaults closing = Least(one.CloseAfter, other.CloseAfter) == one.CloseAfter ? one : other;
        StreamFaults resetting = Least(one.ResetAfter, other.ResetAfter) == one.ResetAfter ? one : other;
        return new StreamFaults
        {
            SliceBytes = slicing.SliceBytes,
            SliceGap = slicing.SliceGap,
            SliceVariation = slicing.SliceVariation,
            StallAfter = Least(one.StallAfter, other.StallAfter),
            CloseAfter = closing.CloseAfter,
            CloseWait = closing.CloseWait,
            ResetAfter = resetting.ResetAfter,
            ResetWait = resetting.ResetWait,
            HalfOpen = one.HalfOpen || other.HalfOpen,
            SlowClose = Sum(one.SlowClose, other.SlowClose),
        };
    }

    /// <summary>At most what a link takes.</summary>
    private static TimeSpan Sum(TimeSpan one, TimeSpan other) => one + other < FaultValue.MaxTime ? one + other : FaultValue.MaxTime;

    private static long? Rate(WayFaults faults) => faults.Link.BitsPerSecond == 0 ? null : faults.Link.BitsPerSecond;

    private static long? Least(long? one, long? other) => one is null ? other : other is null ? one : Math.Min(one.Value, other.Value);
}
