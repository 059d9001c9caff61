namespace Doorbell.Links;

/// <summary>
/// One direction of a bad link: told when a datagram comes and how long it is, it says what becomes of it. It carries nothing itself
/// and has no clock: the impairment proxy and the simulated network both ask it, and the same seed and the same calls give the same
/// fates in both, on every machine. For one thread at a time.
/// </summary>
/// <remarks>
/// In the order of a real path: too large for the link; no room in its queue; then it uses its share of the rate; lost on the way,
/// in a burst or by itself; corrupted; duplicated; delayed. A datagram that is lost has used the rate all the same.
/// </remarks>
public sealed class Link
{
    private readonly long[] _drops = new long[Enum.GetValues<LinkDrop>().Length];
    private LinkOptions _options;

    /// <summary>The options by which the times below were reckoned.</summary>
    private LinkOptions _reckonedBy;
    private LinkRandom _random;
    private bool _isBad;
    private long _received;
    private long _delivered;
    private long _duplicated;
    private long _reordered;
    private long _corrupted;

    /// <summary>Until then the link sends what came before, and the part of a tick that this leaves out.</summary>
    private TimeSpan _busyUntil = TimeSpan.MinValue;
    private long _busyRest;
    private TimeSpan _lastArrival = TimeSpan.MinValue;

    /// <summary>A link.</summary>
    /// <param name="options">How bad it is.</param>
    /// <param name="seed">Of its chances.</param>
    /// <exception cref="ArgumentOutOfRangeException">Options that make no sense.</exception>
    public Link(LinkOptions options, long seed)
    {
        options.Validate();
        _options = _reckonedBy = options;
        _random = new LinkRandom(unchecked((ulong)seed));
        Seed = seed;
    }

    /// <summary>What its chances come from.</summary>
    public long Seed { get; }

    /// <summary>
    /// How bad it is. May be changed between datagrams, and holds from the next one on. Its dice stay. A datagram that was told its time
    /// keeps it; the next ones wait for the bytes that are still queued, at the new rate, but not for a delay that is over: so they may
    /// overtake what was told a longer one.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Options that make no sense.</exception>
    public LinkOptions Options
    {
        get => _options;
        set
        {
            value.Validate();
            _options = value;
        }
    }

    /// <summary>Reads how many datagrams had which fate.</summary>
    public LinkCounts ReadCounts() => new()
    {
        Received = _received,
        Delivered = _delivered,
        Duplicated = _duplicated,
        Reordered = _reordered,
        Corrupted = _corrupted,
        Drops = [.. _drops],
    };

    /// <summary>Decides what becomes of a datagram.</summary>
    /// <param name="now">When it comes, on any clock; not before the one before it.</param>
    /// <param name="length">Its bytes, without headers.</param>
    public LinkFate Next(TimeSpan now, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _received++;
        if (!ReferenceEquals(_options, _reckonedBy))
        {
            ReckonAgain(now);
        }

        LinkDraw draw = new(ref _random);
        bool lostInBurst = IsLostInBurst(draw);
        LinkDrop drop = Take(now, length + LinkOptions.HeaderBytes, out TimeSpan sent);
        if (drop == LinkDrop.None)
        {
            drop = lostInBurst ? LinkDrop.BurstLoss : draw.Loss < _options.Loss ? LinkDrop.Loss : LinkDrop.None;
        }

        if (drop != LinkDrop.None)
        {
            _drops[(int)drop]++;
            return new LinkFate { Drop = drop };
        }

        return Deliver(draw, sent, length);
    }

    /// <summary>
    /// The options have changed: the bytes that the old rate has left in the queue take their time at the new one, and the order of
    /// arrival is kept among those that come from now on.
    /// </summary>
    private void ReckonAgain(TimeSpan now)
    {
        long before = _reckonedBy.BitsPerSecond;
        if (before != _options.BitsPerSecond)
        {
            Int128 left = before == 0 || _busyUntil <= now ? 0 : ((Int128)(_busyUntil - now).Ticks * before) + _busyRest;
            (Int128 ticks, Int128 rest) = _options.BitsPerSecond == 0 ? (0, 0) : Int128.DivRem(left, _options.BitsPerSecond);
            _busyUntil = left == 0 || _options.BitsPerSecond == 0 ? TimeSpan.MinValue : now + TimeSpan.FromTicks((long)ticks);
            _busyRest = (long)rest;
        }

        _lastArrival = TimeSpan.MinValue;
        _reckonedBy = _options;
    }

    /// <summary>The link changes with each datagram, whatever becomes of that.</summary>
    private bool IsLostInBurst(in LinkDraw draw)
    {
        if (_options.BurstLoss is not { } burst)
        {
            _isBad = false;
            return false;
        }

        _isBad = _isBad ? draw.BurstChange >= burst.Leave : draw.BurstChange < burst.Enter;
        return draw.BurstLoss < (_isBad ? burst.LossWhenBad : burst.LossWhenGood);
    }

    /// <summary>Sends a packet as soon as those before it are sent, at the link's rate; or has no room for it.</summary>
    private LinkDrop Take(TimeSpan now, int bytes, out TimeSpan sent)
    {
        sent = now;
        if (_options.Mtu != 0 && bytes > _options.Mtu)
        {
            return LinkDrop.TooLarge;
        }

        if (_options.BitsPerSecond == 0)
        {
            return LinkDrop.None;
        }

        if (_busyUntil < now)
        {
            _busyUntil = now;
            _busyRest = 0;
        }
        else if (((Int128)(_busyUntil - now).Ticks * _options.BitsPerSecond / (8 * TimeSpan.TicksPerSecond)) + bytes > _options.QueueBytes)
        {
            return LinkDrop.QueueFull;
        }

        (Int128 ticks, Int128 rest) = Int128.DivRem(((Int128)bytes * 8 * TimeSpan.TicksPerSecond) + _busyRest, _options.BitsPerSecond);
        _busyUntil += TimeSpan.FromTicks((long)ticks);
        _busyRest = (long)rest;
        sent = _busyUntil;
        return LinkDrop.None;
    }

    private LinkFate Deliver(in LinkDraw draw, TimeSpan sent, int length)
    {
        bool reorder = draw.Reorder < _options.Reorder;
        bool duplicate = draw.Duplicate < _options.Duplicate;
        bool corrupt = draw.Corrupt < _options.Corrupt && length > 0;
        TimeSpan held = reorder ? _options.ReorderDelay : TimeSpan.Zero;
        TimeSpan arrives = Arrival(sent, draw.Uniform, draw.Normal, held);
        TimeSpan? copyArrives = duplicate ? Arrival(sent, draw.CopyUniform, draw.CopyNormal, held) : null;
        _delivered += duplicate ? 2 : 1;
        _duplicated += duplicate ? 1 : 0;
        _reordered += reorder ? 1 : 0;
        _corrupted += corrupt ? 1 : 0;
        return new LinkFate
        {
            ArrivesAt = arrives,
            CopyArrivesAt = copyArrives,
            IsReordered = reorder,
            CorruptedBit = corrupt ? (int)(draw.CorruptedBit % ((ulong)length * 8)) : null,
        };
    }

    /// <summary>Not before those that came before it, save for what is held back, and that keeps none behind it waiting.</summary>
    private TimeSpan Arrival(TimeSpan sent, double uniform, double normal, TimeSpan held)
    {
        double deviation = _options.JitterDistribution == JitterDistribution.Normal ? normal : uniform;
        long jitter = (long)(_options.Jitter.Ticks * deviation);
        TimeSpan arrives = sent + TimeSpan.FromTicks(Math.Max(0, _options.Delay.Ticks + jitter));
        if (arrives < _lastArrival)
        {
            arrives = _lastArrival;
        }

        if (held == TimeSpan.Zero)
        {
            _lastArrival = arrives;
        }

        return arrives + held;
    }
}
