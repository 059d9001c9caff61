using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>What a datagram handler may use during one call: the moment, the alarm, and the answers. Can't be kept.</summary>
public readonly ref struct DatagramTurn
{
    private readonly DatagramSession _session;

    internal DatagramTurn(DatagramSession session, TimeSpan now, DateTimeOffset utcNow)
    {
        _session = session;
        Now = now;
        UtcNow = utcNow;
    }

    /// <summary>Monotonic time since an arbitrary start; for durations and alarms.</summary>
    public TimeSpan Now { get; }

    /// <summary>The wall clock.</summary>
    public DateTimeOffset UtcNow { get; }

    /// <summary>Where an answer is written; <see cref="Reply()"/> or <see cref="SendTo(PeerAddress)"/> ends it.</summary>
    public IBufferWriter<byte> Output => _session.Outbox;

    /// <summary>When <see cref="DatagramHandler.OnAlarm"/> is to be called, on <see cref="Now"/>'s scale; null for never.</summary>
    public TimeSpan? Alarm
    {
        get => _session.Alarm;
        set => _session.Alarm = value;
    }

    /// <summary>
    /// Sends what has been written to <see cref="Output"/>, perhaps nothing, as one datagram to where this one came from.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no datagram to answer: this is an alarm's turn.</exception>
    public void Reply() => _session.Reply();

    /// <summary>Sends <paramref name="answer"/> to where this datagram came from.</summary>
    /// <param name="answer">Copied; may be empty.</param>
    /// <exception cref="InvalidOperationException">There is no datagram to answer: this is an alarm's turn.</exception>
    public void Reply(ReadOnlySpan<byte> answer)
    {
        Output.Write(answer);
        Reply();
    }

    /// <summary>
    /// Sends what has been written to <see cref="Output"/> as one datagram to <paramref name="peer"/>, whose address the service
    /// must have proved: the amplification bound covers answers only.
    /// </summary>
    /// <param name="peer">Where to.</param>
    public void SendTo(PeerAddress peer) => _session.SendTo(peer, default);

    /// <summary>As <see cref="SendTo(PeerAddress)"/>, and the datagram leaves from the address of ours that the peer knows.</summary>
    /// <param name="peer">Where to.</param>
    /// <param name="local"><see cref="Datagram.To"/> of a datagram of that peer's.</param>
    public void SendTo(PeerAddress peer, PeerAddress local) => _session.SendTo(peer, local);

    /// <summary>
    /// The peer has proved to the service that it is where it says: the amplification bound is lifted for this datagram's answers.
    /// </summary>
    public void PeerIsProved() => _session.PeerIsProved();

    /// <summary>Adds to the ledger's count of requests.</summary>
    /// <param name="count">How many; not negative.</param>
    public void CountRequests(int count) => _session.CountRequests(count);

    /// <summary>Adds to one of the counters that the service lists (<see cref="Service.Counters"/>).</summary>
    /// <param name="counter">One of them.</param>
    /// <param name="more">How many; not negative.</param>
    /// <exception cref="ArgumentException">The service does not list it.</exception>
    public void Count(LedgerCounter counter, long more) => _session.Count(counter, more);
}
