using Doorbell.Lab.Impair.Control;

namespace Doorbell.Lab.Impair.Proxies;

/// <summary>What an <see cref="ImpairProxy"/> carries, and how.</summary>
public sealed record ImpairOptions
{
    /// <summary>Where clients come to.</summary>
    public required Endpoint Listen { get; init; }

    /// <summary>The server that clients mean.</summary>
    public required Endpoint Upstream { get; init; }

    /// <summary>The faults of both directions. They may change while the proxy runs.</summary>
    public required FaultControl Faults { get; init; }

    /// <summary>The seed of the chances: the same seed and the same datagrams give the same fates.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Told in one line what the user should know, such as that the upstream refuses. Any thread calls it. Default null: nobody is told.
    /// </summary>
    public Action<string>? Report { get; init; }

    /// <summary>Refuses endpoints between which nothing can be carried.</summary>
    /// <exception cref="ArgumentException">They are neither both streams nor both UDP.</exception>
    public void Validate()
    {
        bool fit = (Listen.IsStream && Upstream.IsStream) || (Listen.Transport == Transport.Udp && Upstream.Transport == Transport.Udp);
        if (!fit)
        {
            throw new ArgumentException(
                "impair carries datagrams between udp:// endpoints, or streams between tcp:// and unix:// ones; "
                    + $"not {Listen} to {Upstream}");
        }
    }
}
