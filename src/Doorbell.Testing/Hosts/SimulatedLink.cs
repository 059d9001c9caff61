using Doorbell.Links;

namespace Doorbell.Testing;

/// <summary>
/// One direction of the way between two hosts, as bad as its options say. Its chances come from the network's seed and the two
/// addresses, so what else happens on the network doesn't change them.
/// </summary>
public sealed class SimulatedLink
{
    /// <summary>20 for IPv4 and 20 for TCP.</summary>
    private const int SegmentHeaderBytes = 40;

    private readonly SimulatedNetwork _network;
    private Link _link;

    internal SimulatedLink(SimulatedNetwork network, SimulatedHost from, SimulatedHost to)
    {
        _network = network;
        From = from;
        To = to;
        _link = new Link(network.DefaultLink, SeedOf(network.Seed, from.At(0), to.At(0)));
    }

    /// <summary>Where it begins.</summary>
    public SimulatedHost From { get; }

    /// <summary>Where it ends.</summary>
    public SimulatedHost To { get; }

    /// <summary>
    /// How bad it is, from the next datagram on; null, the default, for <see cref="SimulatedNetwork.DefaultLink"/>. What is on its way
    /// arrives as it was to.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Options that make no sense.</exception>
    public LinkOptions? Options
    {
        get;
        set
        {
            value?.Validate();
            field = value;
        }
    }

    /// <summary>
    /// Whether nothing gets through in this direction; what is on its way and would arrive meanwhile is lost too.
    /// <see cref="SimulatedNetwork.Partition"/> sets both directions'.
    /// </summary>
    public bool IsCut { get; set; }

    /// <summary>
    /// What its chances come from. Setting it makes a new link of it, counts and all: with the seed of an <c>impair</c> run (N up, ~N
    /// down) the same datagrams have the same fates as there.
    /// </summary>
    public long Seed
    {
        get => _link.Seed;
        set => _link = new Link(Options ?? _network.DefaultLink, value);
    }

    /// <summary>Reads what became of the datagrams, and of streams' segments, that went over it while it was not cut.</summary>
    public LinkCounts ReadCounts() => _link.ReadCounts();

    /// <summary>What becomes of a packet that is sent now.</summary>
    internal LinkFate Next(int length)
    {
        LinkOptions options = Options ?? _network.DefaultLink;
        if (!ReferenceEquals(options, _link.Options))
        {
            _link.Options = options;
        }

        return _link.Next(_network.Now, length);
    }

    /// <summary>Bytes of the largest segment of a stream.</summary>
    internal int MaxSegmentBytes =>
        (Options ?? _network.DefaultLink).Mtu is var mtu && mtu == 0 ? int.MaxValue : mtu - SegmentHeaderBytes;

    /// <summary>Sends a segment of a stream; false if it is lost. One that is damaged is: TCP's checksum tells.</summary>
    internal bool TrySend(int length, out TimeSpan arrivesAt)
    {
        arrivesAt = default;
        if (IsCut)
        {
            return false;
        }

        LinkFate fate = Next(length + SegmentHeaderBytes - LinkOptions.HeaderBytes);
        arrivesAt = fate.ArrivesAt;
        return !fate.IsDropped && fate.CorruptedBit is null;
    }

    private static long SeedOf(ulong seed, PeerAddress from, PeerAddress to)
    {
        SeededRandom mix = new(seed);
        foreach (PeerAddress address in (ReadOnlySpan<PeerAddress>)[from, to])
        {
            mix = new SeededRandom(mix.NextUInt64() ^ (ulong)address.Bits);
            mix = new SeededRandom(mix.NextUInt64() ^ (ulong)(address.Bits >> 64));
            foreach (char letter in address.Path ?? "")
            {
                mix = new SeededRandom(mix.NextUInt64() ^ letter);
            }
        }

        return (long)mix.NextUInt64();
    }
}
