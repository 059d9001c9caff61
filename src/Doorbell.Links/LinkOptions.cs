namespace Doorbell.Links;

/// <summary>How bad one direction of a link is. The defaults are a perfect link: all arrives at once, unchanged, in order.</summary>
public sealed record LinkOptions
{
    /// <summary>
    /// What a datagram's headers take beside its own bytes, by which <see cref="BitsPerSecond"/>, <see cref="QueueBytes"/> and
    /// <see cref="Mtu"/> count: 20 for IPv4 and 8 for UDP.
    /// </summary>
    public const int HeaderBytes = 28;

    /// <summary>The smallest link IP can use: IPv4's 68 bytes (RFC 791 section 3.2).</summary>
    private const int SmallestMtu = 68;

    private static readonly TimeSpan _max = TimeSpan.FromHours(1);

    /// <summary>A link without faults.</summary>
    public static LinkOptions Perfect { get; } = new();

    /// <summary>The probability that a datagram is lost, each by itself: 0 to 1.</summary>
    public double Loss { get; init; }

    /// <summary>Losses that come in bursts, beside <see cref="Loss"/>; null for none.</summary>
    public BurstLoss? BurstLoss { get; init; }

    /// <summary>The probability that a datagram arrives twice: 0 to 1.</summary>
    public double Duplicate { get; init; }

    /// <summary>
    /// The probability that a datagram is held back for <see cref="ReorderDelay"/>, so that those behind it overtake it: 0 to 1.
    /// Nothing else reorders: delays that differ keep the order, as a queue does.
    /// </summary>
    public double Reorder { get; init; }

    /// <summary>How long a reordered datagram is held back. Default 10 milliseconds.</summary>
    public TimeSpan ReorderDelay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The probability that one bit of a datagram is flipped: 0 to 1.</summary>
    public double Corrupt { get; init; }

    /// <summary>How long a datagram travels.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>By how much <see cref="Delay"/> differs from one datagram to the next; never below 0.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>What <see cref="Jitter"/> means.</summary>
    public JitterDistribution JitterDistribution { get; init; }

    /// <summary>How fast the link takes bytes, headers counted; 0 for no limit. Datagrams that come faster wait in its queue.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>
    /// Most bytes that wait for a link with <see cref="BitsPerSecond"/>, headers counted; a datagram that finds no room is dropped,
    /// unless nothing waits. Default 64 KiB.
    /// </summary>
    public int QueueBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of the largest packet, headers counted; larger ones are dropped without a word. 0 for no limit.</summary>
    public int Mtu { get; init; }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A probability outside 0 to 1, a time below 0 or over an hour, a rate below 0, an empty queue, an MTU below 68 bytes.
    /// </exception>
    public void Validate()
    {
        BurstLoss?.Validate();
        Probability.Require(Loss, nameof(Loss));
        Probability.Require(Duplicate, nameof(Duplicate));
        Probability.Require(Reorder, nameof(Reorder));
        Probability.Require(Corrupt, nameof(Corrupt));
        RefuseUnlessShort(ReorderDelay, nameof(ReorderDelay));
        RefuseUnlessShort(Delay, nameof(Delay));
        RefuseUnlessShort(Jitter, nameof(Jitter));
        ArgumentOutOfRangeException.ThrowIfNegative(BitsPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(QueueBytes);
        if (!Enum.IsDefined(JitterDistribution))
        {
            throw new ArgumentOutOfRangeException(nameof(JitterDistribution), JitterDistribution, "There is no such distribution.");
        }

        if (Mtu != 0)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(Mtu, SmallestMtu);
        }
    }

    private static void RefuseUnlessShort(TimeSpan time, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, _max, name);
    }
}
