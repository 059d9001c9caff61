using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Links;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>One direction through the proxy: the link, and what the proxy itself did with datagrams. For the proxy's thread.</summary>
internal sealed class DatagramWay(string name, LiveFaults faults, long seed)
{
    private readonly Link _link = new(faults.Now.First.Link, seed);
    private long _spared;
    private volatile WayReading? _reading;

    /// <summary>Datagrams sent on; copies are among them.</summary>
    public long Forwarded { get; set; }

    /// <summary>Datagrams dropped because too many wait for their time.</summary>
    public long NoRoom { get; set; }

    /// <summary>Datagrams whose client was forgotten before their time came, or for whom no socket could be had.</summary>
    public long NoClient { get; set; }

    /// <summary>Datagrams that the kernel would not send.</summary>
    public long SendFailed { get; set; }

    /// <summary>Datagrams that came and that the kernel dropped, since the proxy was behind with receiving.</summary>
    public long ReceiveBufferFull { get; set; }

    /// <summary>Datagrams whose time had not come when the proxy ended.</summary>
    public long Waiting { get; set; }

    /// <summary>What passed until the last <see cref="Publish"/>. Any thread may ask.</summary>
    public WayReading Reading => _reading ?? Read();

    /// <summary>What becomes of a datagram, as the faults are now.</summary>
    public LinkFate Next(TimeSpan now, int bytes)
    {
        LinkOptions options = faults.Now.First.Link;
        if (!ReferenceEquals(_link.Options, options))
        {
            _link.Options = options;
        }

        return _link.Next(now, bytes);
    }

    /// <summary>Whether the faults are those of other clients alone.</summary>
    /// <param name="shares">The seed of the chances.</param>
    /// <param name="client">The client's number.</param>
    public bool Spares(long shares, long client)
    {
        double share = faults.Now.First.Share;
        return share < 1 && LinkChance.Of(shares, client) >= share;
    }

    /// <summary>What becomes of a datagram of a client that has no faults.</summary>
    public LinkFate Pass(TimeSpan now)
    {
        _spared++;
        return new LinkFate { ArrivesAt = now };
    }

    public void Publish() => _reading = Read();

    private WayReading Read()
    {
        LinkCounts link = _link.ReadCounts();
        return new WayReading(
            name,
            link.Received + _spared + ReceiveBufferFull,
            Forwarded,
            [
                .. Enum.GetValues<LinkDrop>().Where(static why => why != LinkDrop.None).Select(why => ($"{why}", link.DroppedBy(why))),
                ("NoRoom", NoRoom), ("NoClient", NoClient), ("SendFailed", SendFailed),
                ("ReceiveBufferFull", ReceiveBufferFull),
            ],
            [
                ("Duplicated", link.Duplicated), ("Reordered", link.Reordered), ("Corrupted", link.Corrupted), ("Waiting", Waiting),
            ]);
    }
}
