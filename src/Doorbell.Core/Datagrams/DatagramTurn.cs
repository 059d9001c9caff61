using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// What a datagram handler may use during one call: the moment, the alarm, the bell, the answers and further sockets. Can't be kept.
/// </summary>
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

    /// <summary>
    /// The address that the socket is bound to; <see cref="AddressKind.None"/> if the lane does not know it. On a socket that is bound to
    /// all addresses it is the wildcard address with the socket's port.
    /// </summary>
    public PeerAddress Local => _session.Local;

    /// <summary>
    /// Calls the handler from outside: rung from any thread, it makes the lane call <see cref="DatagramHandler.OnRing"/> soon. It may be
    /// kept.
    /// </summary>
    public Bell Bell => _session.TakeBell();

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
    /// <exception cref="InvalidOperationException">There is no datagram to answer in this turn, as in that of an alarm.</exception>
    public void Reply() => _session.Reply();

    /// <summary>Sends <paramref name="answer"/> to where this datagram came from.</summary>
    /// <param name="answer">Copied; may be empty.</param>
    /// <exception cref="InvalidOperationException">There is no datagram to answer in this turn, as in that of an alarm.</exception>
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
    /// Opens a further socket of the same transport, at any free port of the address that this one is bound to; see
    /// <see cref="TryOpenDatagrams(PeerAddress, DatagramHandler)"/>.
    /// </summary>
    /// <param name="handler">The new socket's own handler.</param>
    /// <returns>
    /// False if as many are open already as <see cref="DatagramLimits.MaxOpenedSockets"/> allows; the handler is not called.
    /// </returns>
    public bool TryOpenDatagrams(DatagramHandler handler) => _session.TryOpen(default, handler);

    /// <summary>
    /// Opens a further UDP socket after this call. It lives as long as the socket of this handler at most: it is closed with it, drains
    /// with it, has the same limits and is counted in the same ledger. Its first call is <see cref="DatagramHandler.OnOpen"/>, or only
    /// <see cref="DatagramHandler.OnClosed"/> if it can't be opened. It may have a lane of its own: what the two handlers share they must
    /// guard, and each wakes the other by the other's bell.
    /// </summary>
    /// <param name="local">
    /// The IPv4 or IPv6 address to bind to, with port 0 for any free port; <see cref="AddressKind.None"/> for any free port of the
    /// address that this socket is bound to.
    /// </param>
    /// <param name="handler">The new socket's own handler.</param>
    /// <returns>
    /// False if as many are open already as <see cref="DatagramLimits.MaxOpenedSockets"/> allows; the handler is not called.
    /// </returns>
    /// <exception cref="ArgumentException">The address is a unix address.</exception>
    public bool TryOpenDatagrams(PeerAddress local, DatagramHandler handler) => _session.TryOpen(local, handler);

    /// <summary>
    /// Closes the socket once what has been sent in this turn is with the kernel; datagrams that arrive from here on are lost. For
    /// sockets that were opened by <see cref="TryOpenDatagrams(DatagramHandler)"/> or by a client.
    /// </summary>
    /// <exception cref="InvalidOperationException">The socket is one of a server's doors, which the server closes.</exception>
    public void Close() => _session.Close();

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
