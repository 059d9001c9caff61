using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>
/// A connection without a network: a lane that carries one session in memory and in virtual time, from a seed. What a kernel leaves
/// to chance (how a stream is cut, how much of a send is taken, what happens first) the seed decides, so the same seed and the same
/// peer give the same run.
/// </summary>
/// <remarks>
/// The peer's side is the test's: <see cref="PeerSends"/>, <see cref="PeerEnds"/>, <see cref="PeerResets"/>, and
/// <see cref="PeerReceived"/> for what came back. Only the bell may be rung from other threads.
/// </remarks>
public sealed class InMemoryConnection
{
    private readonly SessionLane _lane;
    private readonly MemoryTransport _transport = new();
    private readonly CountingPool _pool = new(new BufferBudget(long.MaxValue, static () => { }));
    private readonly Queue<ConnectRequest> _requests = new();

    /// <summary>A connection just established; the session is opened by the first <see cref="Run"/>.</summary>
    /// <param name="handler">Its handler.</param>
    /// <param name="seed">Decides what chance would.</param>
    /// <param name="limits">Its limits; null for the defaults.</param>
    /// <param name="ledger">Where it is counted; null for one of its own.</param>
    /// <param name="layers">What makes its layers, the first one next to the wire; null for none.</param>
    public InMemoryConnection(
        StreamHandler handler,
        int seed,
        StreamLimits? limits = null,
        Ledger? ledger = null,
        IReadOnlyList<Func<ConnectionInfo, StreamLayer>>? layers = null)
        : this(handler, null, seed, limits ?? StreamLimits.Default, ledger, layers)
    {
    }

    /// <summary>A connection that a handler has asked for, and that the test lets be connected; its session is opened at once.</summary>
    /// <param name="request">As another connection's <see cref="TryTakeConnect"/> gave it.</param>
    /// <param name="seed">Decides what chance would.</param>
    /// <param name="ledger">Where it is counted.</param>
    public InMemoryConnection(ConnectRequest request, int seed, Ledger ledger)
        : this(request.Handler, request, seed, request.Limits, ledger, null)
    {
    }

    private InMemoryConnection(
        StreamHandler handler,
        ConnectRequest? request,
        int seed,
        StreamLimits limits,
        Ledger? ledger,
        IReadOnlyList<Func<ConnectionInfo, StreamLayer>>? layers)
    {
        // Layers change what is known of a connection: each has its own.
        Connection = layers is null ? Info : new SimulatedConnectionInfo(1, Info.Door, Info.TransportPeer, Info.Local);
        Ledger = ledger ?? new Ledger();
        SessionSetting setting = new(handler, Connection, limits, Ledger, _pool, layers ?? []) { Request = request };
        _lane = new SessionLane(setting, _transport, new Random(seed)) { Connect = _requests.Enqueue };
        _lane.Session.Opened(Now, DateTimeOffset.UnixEpoch);
    }

    /// <summary>What the handler is told of its connection: a loopback client at port 50,000 and a server at 6789.</summary>
    public static ConnectionInfo Info { get; } = new SimulatedConnectionInfo(
        1, Endpoint.Parse("tcp://127.0.0.1:6789"), PeerAddress.IPv4(0x7f000001, 50_000), PeerAddress.IPv4(0x7f000001, 6789));

    /// <summary>What the handler is told of this connection.</summary>
    public ConnectionInfo Connection { get; }

    /// <summary>Why a layer failed or refused the peer; null if none did.</summary>
    public string? LayerFailure => _lane.Session.LayerFailure;

    /// <summary>Virtual time since the connection was established.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>Most bytes delivered to the server at once. Default 64 KiB.</summary>
    public int LargestReceive
    {
        get => _transport.LargestReceive;
        set => _transport.LargestReceive = value;
    }

    /// <summary>Most bytes the peer takes at once; 0 for a peer that never reads. Default 64 KiB.</summary>
    public int LargestSend
    {
        get => _transport.LargestSend;
        set => _transport.LargestSend = value;
    }

    /// <summary>Whether chance cuts the stream anew at each step; otherwise each receive and send is as large as it may be.</summary>
    public bool CutAtRandom
    {
        get => _lane.CutAtRandom;
        set => _lane.CutAtRandom = value;
    }

    /// <summary>Where the connection is counted.</summary>
    public Ledger Ledger { get; }

    /// <summary>What the session wants now.</summary>
    public Want Wants => _lane.Session.Wants;

    /// <summary>Why it ended; null while it lasts.</summary>
    public CloseReason? Ended => _lane.Ended;

    /// <summary>Whether it ended with a reset rather than in order.</summary>
    public bool WasReset => _lane.WasReset;

    /// <summary>Whether the server has half-closed.</summary>
    public bool ServerFinished => _lane.HasFinished;

    /// <summary>What the handler threw, if it did.</summary>
    public Exception? Fault => _lane.Session.Fault;

    /// <summary>All that the peer has received.</summary>
    public ReadOnlySpan<byte> PeerReceived => _transport.PeerReceived;

    /// <summary>Bytes the session holds in rented memory; 0 when it is idle or ended.</summary>
    public long RentedBytes => _pool.RentedBytes;

    /// <summary>
    /// The next connection that the handler has asked for: the test makes a connection of it, or says <see cref="ConnectRequest.Fail"/>.
    /// </summary>
    /// <param name="request">The test's to carry out.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeConnect([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ConnectRequest? request) =>
        _requests.TryDequeue(out request);

    /// <summary>Adds to what the peer has sent and the network not yet delivered.</summary>
    /// <param name="bytes">Copied.</param>
    public void PeerSends(ReadOnlySpan<byte> bytes) => _transport.PeerSends(bytes);

    /// <summary>The peer half-closes after what it has sent.</summary>
    public void PeerEnds() => _transport.PeerEnded = true;

    /// <summary>The peer resets the connection: what is undelivered is lost.</summary>
    public void PeerResets() => _transport.PeerReset = true;

    /// <summary>The server begins to drain.</summary>
    public void Drain() => _lane.Drain();

    /// <summary>For how long the peer has been at rest; zero if it is not.</summary>
    public TimeSpan Rest => _lane.Session.RestAt(Now);

    /// <summary>The server has as many connections as it may have: this one makes room, if its peer is at rest.</summary>
    /// <returns>Whether it does.</returns>
    public bool TryMakeRoom()
    {
        bool makesRoom = _lane.Session.TryMakeRoom(Now);
        Run();
        return makesRoom;
    }

    /// <summary>Does one thing that is possible, chosen by chance.</summary>
    /// <returns>False if nothing can happen but time passing.</returns>
    public bool Step() => _lane.Step(Now);

    /// <summary>Steps until nothing can happen but time passing.</summary>
    /// <param name="mostSteps">A bound, so that a session that never settles fails the test.</param>
    /// <exception cref="InvalidOperationException">There was always something more to do.</exception>
    public void Run(int mostSteps = 1_000_000)
    {
        for (int i = 0; i < mostSteps; i++)
        {
            if (!Step())
            {
                return;
            }
        }

        throw new InvalidOperationException($"The session has not settled after {mostSteps} steps; it wants {Wants}.");
    }

    /// <summary>Lets time pass, stopping at every deadline on the way, and runs.</summary>
    /// <param name="time">How much.</param>
    public void Advance(TimeSpan time)
    {
        TimeSpan end = Now + time;
        Run();
        while (Ended is null && _lane.Session.Deadline <= end)
        {
            Now = _lane.Session.Deadline > Now ? _lane.Session.Deadline : Now;
            _lane.Session.Tick(Now);
            Run();
        }

        Now = end;
    }
}
