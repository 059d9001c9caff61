using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// What a handler may use during one call: the moment, the output, the peer, the bell and the alarm. A ref struct, so it can't
/// be kept: to act later, keep the <see cref="Bell"/> and ring it.
/// </summary>
public readonly ref struct Turn
{
    private readonly StreamSession _session;

    internal Turn(StreamSession session, TimeSpan now)
    {
        _session = session;
        Now = now;
    }

    /// <summary>Monotonic time since an arbitrary start, the same for all of a server; for durations and alarms.</summary>
    public TimeSpan Now { get; }

    /// <summary>The wall clock: its reading when the connection opened, plus the monotonic time since.</summary>
    public DateTimeOffset UtcNow => _session.UtcAt(Now);

    /// <summary>
    /// Where the answer is written. All that is written in one turn leaves in one send, where the kernel takes it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The sending side has been half-closed.</exception>
    public OutputBuffer Output => _session.WritableOutput;

    /// <summary>Who is connected, and to what; may be kept as long as the connection lasts.</summary>
    public ConnectionInfo Connection => _session.Connection;

    /// <summary>Who is at the other end.</summary>
    public PeerAddress Peer => _session.Peer;

    /// <summary>Brings this connection back to its handler, from any thread; may be kept.</summary>
    public Bell Bell => _session.Bell;

    /// <summary>When <see cref="StreamHandler.OnAlarm"/> is to be called, on <see cref="Now"/>'s scale; null for never.</summary>
    public TimeSpan? Alarm
    {
        get => _session.Alarm;
        set => _session.Alarm = value;
    }

    /// <summary>
    /// Where a handler says what it keeps for this connection in memory of its own, such as a queue: then the server's budget counts it
    /// (<c>ServerOptions.MaxBufferedBytes</c>). What is written to <see cref="Output"/> or left unconsumed is counted already. May be kept.
    /// </summary>
    public HeldMemory HeldMemory => _session.HeldMemory;

    /// <summary>Whether the server is draining: no new work should be begun.</summary>
    public bool Draining => _session.Draining;

    /// <summary>
    /// Opens a connection of our own, served by another handler; returns at once. The lane that carries this connection resolves the name,
    /// tries its addresses in turn, and carries the new connection too if it carries many. Otherwise the new connection has a lane of its
    /// own, whose thread is another one.
    /// </summary>
    /// <remarks>
    /// The new connection may outlive this one. At a drain it is spared as long as this one is open, and closed afterwards when it is at
    /// rest (<see cref="StreamHandler.IsIdle"/>). It counts in <see cref="LedgerSnapshot.ConnectionsConnected"/>, not among those accepted,
    /// and <c>ServerOptions.MaxConnections</c> does not bound it.
    /// </remarks>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="handler">The new connection's own: told <see cref="StreamHandler.OnOpen"/> when it is connected, or
    /// <see cref="StreamHandler.OnClosed"/> with <see cref="CloseReason.ConnectFailed"/> alone.</param>
    /// <param name="options">Time-out and limits; null for the defaults.</param>
    /// <returns>To give it up, and to learn why it failed.</returns>
    /// <exception cref="ArgumentException">The endpoint carries datagrams.</exception>
    /// <exception cref="InvalidOperationException">This handler waits for 16 already.</exception>
    public OutgoingConnection Connect(Endpoint endpoint, StreamHandler handler, ConnectOptions? options = null) =>
        _session.Connect(endpoint, handler, options ?? ConnectOptions.Default);

    /// <summary>
    /// Puts a layer between the peer and this handler from here on, as STARTTLS does (RFC 3207). What has been written before is sent as it
    /// is, and what is written after is wrapped, once the layer is open. Bytes behind those that this call's step consumes are the layer's:
    /// nothing that a peer sent in the clear is taken for what came through the layer. <see cref="StreamHandler.OnOpen"/> isn't called
    /// again.
    /// </summary>
    /// <param name="layer">This connection's own.</param>
    /// <exception cref="InvalidOperationException">The sending side has been half-closed, the peer has ended, or one was pushed in this
    /// call.</exception>
    public void Push(StreamLayer layer) => _session.Push(layer);

    /// <summary>Adds to the ledger's count of requests: whole messages answered.</summary>
    /// <param name="count">How many; not negative.</param>
    public void CountRequests(int count) => _session.CountRequests(count);
}
