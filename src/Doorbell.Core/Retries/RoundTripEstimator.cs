namespace Doorbell.Sessions;

/// <summary>
/// How long to wait for a peer before a datagram to it is taken for lost, from the round trips measured: RFC 6298's smoothing, kept
/// twice as in CoCoA (draft-ietf-core-cocoa section 4.2): strongly for exchanges that needed one datagram, weakly for those that
/// needed up to three, which can't tell which of them was answered and are measured from the first.
/// </summary>
/// <remarks>
/// Unlike RFC 6298 the floor is <see cref="Floor"/>, not a second: a peer a millisecond away costs milliseconds when a datagram is lost.
/// Unlike CoCoA the first strong measurement counts whole, and what was weakly measured before it is forgotten: that is mostly the wait
/// of first contact, and would come back with every loss. What is not renewed grows back to <see cref="FirstContact"/>.
/// </remarks>
public sealed class RoundTripEstimator
{
    private const int MaxSendsMeasured = 3;
    private const double StrongFactor = 4;
    private const double WeakFactor = 1;
    private const double StrongShare = 0.5;
    private const double WeakShare = 0.25;
    private const int ShortLife = 16;

    /// <summary>
    /// An estimate is at most so many times the wait of first contact. A weak one is mostly of waits, so each loss would lengthen the next
    /// wait, without bound.
    /// </summary>
    private const double MostOfFirstContact = 2;

    private Smoothed _strong;
    private Smoothed _weak;
    private TimeSpan _timeout;
    private TimeSpan _renewed;

    /// <summary>Nothing is known of the peer.</summary>
    /// <param name="firstContact">What to wait until something is: ACK_TIMEOUT (RFC 7252 section 4.8), 2 seconds.</param>
    /// <param name="floor">The shortest wait.</param>
    /// <exception cref="ArgumentOutOfRangeException">A wait of nothing, or a floor above the first contact's.</exception>
    public RoundTripEstimator(TimeSpan firstContact, TimeSpan floor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(floor, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(firstContact, floor);
        FirstContact = firstContact;
        Floor = floor;
        _timeout = firstContact;
    }

    /// <summary>The wait while nothing is known.</summary>
    public TimeSpan FirstContact { get; }

    /// <summary>The shortest wait.</summary>
    public TimeSpan Floor { get; }

    /// <summary>The round trip as smoothed from exchanges that needed one datagram; zero if there was none yet.</summary>
    public TimeSpan RoundTrip => TimeSpan.FromSeconds(_strong.Mean);

    /// <summary>The wait for a datagram sent now, before jitter and back-off.</summary>
    /// <param name="now">Since any start; never goes back.</param>
    public TimeSpan Timeout(TimeSpan now)
    {
        // A short wait that nothing has confirmed for 16 times its length doubles (CoCoA section 4.3).
        while (_timeout < FirstContact && now - _renewed >= ShortLife * _timeout)
        {
            _renewed += ShortLife * _timeout;
            _timeout *= 2;
            if (_timeout >= FirstContact)
            {
                Forget();
            }
        }

        return _timeout;
    }

    /// <summary>A datagram has been answered.</summary>
    /// <param name="elapsed">Since it was sent first.</param>
    /// <param name="sends">How often it was sent; more than 3 tell nothing.</param>
    /// <param name="now">The time.</param>
    public void Measured(TimeSpan elapsed, int sends, TimeSpan now)
    {
        if (sends > MaxSendsMeasured || elapsed < TimeSpan.Zero)
        {
            return;
        }

        TimeSpan current = Timeout(now);
        bool isFirst = sends == 1 && !_strong.IsKnown;
        _weak = isFirst ? default : _weak;
        ref Smoothed smoothed = ref sends == 1 ? ref _strong : ref _weak;
        smoothed.Add(elapsed.TotalSeconds);
        double wait = smoothed.Mean + ((sends == 1 ? StrongFactor : WeakFactor) * smoothed.Deviation);
        double share = isFirst ? 1 : sends == 1 ? StrongShare : WeakShare;
        double smoothedWait = (share * wait) + ((1 - share) * current.TotalSeconds);
        double longest = MostOfFirstContact * FirstContact.TotalSeconds;
        _timeout = TimeSpan.FromSeconds(Math.Clamp(smoothedWait, Floor.TotalSeconds, longest));
        _renewed = now;
    }

    /// <summary>The peer did not answer at all, or another is there now: it is unknown again.</summary>
    public void Forget()
    {
        _strong = default;
        _weak = default;
        _timeout = FirstContact;
    }

    /// <summary>RFC 6298 section 2: the mean and the mean deviation, in seconds.</summary>
    private struct Smoothed
    {
        public bool IsKnown { get; private set; }

        public double Mean { get; private set; }

        public double Deviation { get; private set; }

        public void Add(double seconds)
        {
            if (!IsKnown)
            {
                IsKnown = true;
                Mean = seconds;
                Deviation = seconds / 2;
                return;
            }

            Deviation += (Math.Abs(Mean - seconds) - Deviation) / 4;
            Mean += (seconds - Mean) / 8;
        }
    }
}
