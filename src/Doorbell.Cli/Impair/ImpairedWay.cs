namespace Doorbell.Cli.Impair;

/// <summary>One direction through the proxy: the link, and what the proxy itself did with datagrams.</summary>
internal sealed class ImpairedWay(string name, LinkOptions options, long seed)
{
    /// <summary><c>up</c>, from clients to the upstream, or <c>down</c>.</summary>
    public string Name { get; } = name;

    public Link Link { get; } = new(options, seed);

    /// <summary>Datagrams sent on; copies are among them.</summary>
    public long Forwarded { get; set; }

    /// <summary>Datagrams dropped because too many wait for their time.</summary>
    public long NoRoom { get; set; }

    /// <summary>Datagrams whose client was forgotten before their time came, or for whom no socket could be had.</summary>
    public long NoClient { get; set; }

    /// <summary>Datagrams that the kernel would not send.</summary>
    public long SendFailed { get; set; }

    /// <summary>Datagrams whose time had not come when the proxy ended.</summary>
    public long Waiting { get; set; }
}
