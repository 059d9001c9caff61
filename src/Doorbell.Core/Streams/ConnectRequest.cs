namespace Doorbell.Sessions;

/// <summary>
/// The effect of <see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/>, for the lane to carry out: it connects, makes a
/// <see cref="StreamSession"/> of the request and opens it, or says <see cref="Fail"/>. One of both, once.
/// </summary>
/// <remarks>
/// The lane alone uses it. At a drain two threads may meet here: the one that asked says that it is over and then looks whether the new one
/// drains; the new one says that it drains and then looks whether the other is over.
/// </remarks>
public sealed class ConnectRequest
{
    private readonly IReadOnlyList<TargetRange>? _targets;
    private Bell? _drainBell;
    private volatile bool _requesterIsOver;
    private volatile bool _over;

    /// <summary>A request that no other connection makes: a client's.</summary>
    /// <param name="endpoint">Where to connect to.</param>
    /// <param name="handler">The new connection's own.</param>
    /// <param name="options">Time-out and limits.</param>
    /// <exception cref="ArgumentException">The endpoint carries datagrams, or an option makes no sense.</exception>
    public ConnectRequest(Endpoint endpoint, StreamHandler handler, ConnectOptions options)
        : this(endpoint, handler, options, StreamLimits.Default) => _requesterIsOver = true;

    internal ConnectRequest(Endpoint endpoint, StreamHandler handler, ConnectOptions options, StreamLimits limits)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (!endpoint.IsStream)
        {
            throw new ArgumentException($"{endpoint} carries datagrams, which need no connection.", nameof(endpoint));
        }

        options.Validate();
        TunnelProxy.Validate(options.Via, endpoint);
        Endpoint first = options.Via.Count > 0 ? options.Via[0].Endpoint : endpoint;
        options.Transport?.Validate(first);
        Transport = options.Transport;
        _targets = options.Targets;
        Endpoint = first;
        Layers = options.Via.Count == 0
            ? options.Layers
            : [.. TunnelProxy.LayersOf(options.Via, endpoint).Select(Lasting), .. options.Layers];
        Handler = handler;
        Timeout = options.Timeout;
        KeepAlive = options.KeepAlive;
        Limits = options.Limits ?? limits;
        Outgoing = new OutgoingConnection(endpoint);
    }

    /// <summary>Where to connect to: a stream's endpoint. It is the first proxy's, if there is one.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>The new connection's handler.</summary>
    public StreamHandler Handler { get; }

    /// <summary>Bounds resolving and connecting together.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>After how long without anything from the peer the kernel asks whether it is there; null for never.</summary>
    public TimeSpan? KeepAlive { get; }

    /// <summary>
    /// Whether an address of the endpoint may be connected; if not, the lane passes it over as if the system had said EACCES.
    /// </summary>
    /// <param name="address">One of those to which the endpoint's name was resolved.</param>
    public bool Admits(PeerAddress address) => _targets is null || _targets.Any(range => range.Contains(address));

    /// <summary>What only the lane's transport knows of; null for nothing.</summary>
    public TransportOptions? Transport { get; }

    /// <summary>The new connection's bounds.</summary>
    public StreamLimits Limits { get; }

    /// <summary>What the handler that asked for the connection holds.</summary>
    public OutgoingConnection Outgoing { get; }

    /// <summary>What asks the proxies, and the layers behind them.</summary>
    internal IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers { get; }

    /// <summary>Whether the handler that asked has given up. The lane then connects no more and says <see cref="Fail"/>.</summary>
    public bool IsCancelled => Outgoing.IsCancelled;

    /// <summary>Neither connected nor failed yet.</summary>
    internal bool IsPending => Outgoing.IsPending;

    /// <summary>Failed, or closed.</summary>
    internal bool IsOver => _over;

    /// <summary>The connection that asked for this one is over: a drain need no longer spare this one for it.</summary>
    internal bool RequesterIsOver => _requesterIsOver;

    /// <summary>
    /// The lane wants to hear of <see cref="OutgoingConnection.Cancel"/> while it connects. If it was cancelled before, the bell rings at
    /// once.
    /// </summary>
    /// <param name="bell">Rung from any thread.</param>
    public void RingWhenCancelled(Bell bell) => Outgoing.RingWhenCancelled(bell);

    /// <summary>It can't be connected: the handler is told, and it is counted.</summary>
    /// <param name="failure">Why.</param>
    /// <param name="ledger">Where it is counted.</param>
    /// <returns>What the handler threw; null if nothing.</returns>
    public Exception? Fail(ConnectFailure failure, Ledger ledger)
    {
        _over = true;
        Outgoing.Fail(failure);
        ledger.ConnectionClosed(CloseReason.ConnectFailed);
        try
        {
            Handler.OnClosed(CloseReason.ConnectFailed);
            return null;
        }
        catch (Exception fault)
        {
            return fault;
        }
    }

    /// <summary>A layer that is there already.</summary>
    private static Func<ConnectionInfo, StreamLayer> Lasting(TunnelLayer layer) => _ => layer;

    internal void Opened() => Outgoing.Connected();

    internal void Closed() => _over = true;

    internal void Draining(Bell bell)
    {
        _drainBell = bell;
        Interlocked.MemoryBarrier();
    }

    internal void RequesterOver()
    {
        _requesterIsOver = true;
        Interlocked.MemoryBarrier();
        _drainBell?.Ring();
    }
}
