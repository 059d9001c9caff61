using System.Buffers;

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
    private readonly Random _random;
    private readonly StreamSession _session;
    private readonly CountingPool _pool = new();
    private readonly RememberedBell _bell = new();
    private readonly List<byte> _toServer = [];
    private readonly ArrayBufferWriter<byte> _toPeer = new();
    private readonly DateTimeOffset _utcOrigin = DateTimeOffset.UnixEpoch;
    private bool _peerEnded;
    private bool _endDelivered;
    private bool _peerReset;
    private bool _drainAsked;

    /// <summary>A connection just established; the session is opened by the first <see cref="Run"/>.</summary>
    /// <param name="handler">Its handler.</param>
    /// <param name="seed">Decides what chance would.</param>
    /// <param name="limits">Its limits; null for the defaults.</param>
    /// <param name="ledger">Where it is counted; null for one of its own.</param>
    public InMemoryConnection(StreamHandler handler, int seed, StreamLimits? limits = null, Ledger? ledger = null)
    {
        _random = new Random(seed);
        Ledger = ledger ?? new Ledger();
        _session = new StreamSession(handler, limits ?? StreamLimits.Default, PeerAddress.IPv4(0x7f000001, 50_000), _bell, Ledger, _pool);
        _session.Opened(Now, _utcOrigin);
    }

    /// <summary>Virtual time since the connection was established.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>Most bytes delivered to the server at once. Default 64 KiB.</summary>
    public int LargestReceive { get; set; } = 64 * 1024;

    /// <summary>Most bytes the peer takes at once; 0 for a peer that never reads. Default 64 KiB.</summary>
    public int LargestSend { get; set; } = 64 * 1024;

    /// <summary>Whether chance cuts the stream anew at each step; otherwise each receive and send is as large as it may be.</summary>
    public bool CutAtRandom { get; set; } = true;

    /// <summary>Where the connection is counted.</summary>
    public Ledger Ledger { get; }

    /// <summary>What the session wants now.</summary>
    public Want Wants => _session.Wants;

    /// <summary>Why it ended; null while it lasts.</summary>
    public CloseReason? Ended { get; private set; }

    /// <summary>Whether it ended with a reset rather than in order.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Whether the server has half-closed.</summary>
    public bool ServerFinished { get; private set; }

    /// <summary>What the handler threw, if it did.</summary>
    public Exception? Fault => _session.Fault;

    /// <summary>All that the peer has received.</summary>
    public ReadOnlySpan<byte> PeerReceived => _toPeer.WrittenSpan;

    /// <summary>Bytes the session holds in rented memory; 0 when it is idle or ended.</summary>
    public long RentedBytes => _pool.RentedBytes;

    /// <summary>Adds to what the peer has sent and the network not yet delivered.</summary>
    /// <param name="bytes">Copied.</param>
    public void PeerSends(ReadOnlySpan<byte> bytes) => _toServer.AddRange(bytes);

    /// <summary>The peer half-closes after what it has sent.</summary>
    public void PeerEnds() => _peerEnded = true;

    /// <summary>The peer resets the connection: what is undelivered is lost.</summary>
    public void PeerResets() => _peerReset = true;

    /// <summary>The server begins to drain.</summary>
    public void Drain() => _drainAsked = true;

    /// <summary>Does one thing that is possible, chosen by chance.</summary>
    /// <returns>False if nothing can happen but time passing.</returns>
    public bool Step()
    {
        if (Ended is not null)
        {
            return false;
        }

        if ((_session.Wants & (Want.Close | Want.Abort)) != 0)
        {
            Close();
            return true;
        }

        List<Action> possible = Possible();
        if (possible.Count > 0)
        {
            possible[_random.Next(possible.Count)]();
        }

        return possible.Count > 0;
    }

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

        throw new InvalidOperationException($"The session has not settled after {mostSteps} steps; it wants {_session.Wants}.");
    }

    /// <summary>Lets time pass, stopping at every deadline on the way, and runs.</summary>
    /// <param name="time">How much.</param>
    public void Advance(TimeSpan time)
    {
        TimeSpan end = Now + time;
        Run();
        while (Ended is null && _session.Deadline <= end)
        {
            Now = _session.Deadline > Now ? _session.Deadline : Now;
            _session.Tick(Now);
            Run();
        }

        Now = end;
    }

    private List<Action> Possible()
    {
        Want wants = _session.Wants;
        List<Action> possible = [];
        AddIf(_bell.IsRung, Ring);
        AddIf(_peerReset, Reset);
        AddIf((wants & Want.Send) != 0 && LargestSend > 0, Send);
        AddIf((wants & Want.Finish) != 0, Finish);
        AddIf((wants & Want.Turn) != 0, () => _session.Continue(Now));
        AddIf((wants & Want.Receive) != 0 && _toServer.Count > 0, Receive);
        AddIf((wants & Want.Receive) != 0 && _toServer.Count == 0 && _peerEnded && !_endDelivered, ReceiveEnd);
        AddIf(_drainAsked && _toServer.Count == 0, DrainSession);
        return possible;

        void AddIf(bool can, Action action)
        {
            if (can)
            {
                possible.Add(action);
            }
        }
    }

    private void Ring()
    {
        _bell.Take();
        _session.Ring(Now);
    }

    private void Reset()
    {
        _session.Fail(CloseReason.PeerReset);
        WasReset = true;
    }

    private void Send()
    {
        ReadOnlySpan<byte> outgoing = _session.Outgoing.Span;
        int count = Amount(Math.Min(outgoing.Length, LargestSend));
        _toPeer.Write(outgoing[..count]);
        _session.Sent(count, Now);
    }

    private void Finish()
    {
        ServerFinished = true;
        _session.Finished(Now);
    }

    private void Receive()
    {
        int count = Amount(Math.Min(_toServer.Count, LargestReceive));
        byte[] bytes = [.. _toServer.Take(count)];
        _toServer.RemoveRange(0, count);
        _session.Received(bytes, Now);

        // The lane's buffer is its own again: a session that kept the span would see this.
        bytes.AsSpan().Fill(0xdd);
    }

    private void ReceiveEnd()
    {
        _endDelivered = true;
        _session.ReceivedEnd(Now);
    }

    private void DrainSession()
    {
        _drainAsked = false;
        _session.Drain(Now);
    }

    private void Close()
    {
        WasReset |= (_session.Wants & Want.Abort) != 0;

        // close(2) sends the FIN if shutdown(2) has not.
        ServerFinished |= !WasReset;
        _session.Closed();
        Ended = _session.Reason;
    }

    private int Amount(int most) => CutAtRandom ? 1 + _random.Next(most) : most;

    private sealed class RememberedBell : Bell
    {
        private int _rung;

        public bool IsRung => Volatile.Read(ref _rung) != 0;

        public override void Ring() => Volatile.Write(ref _rung, 1);

        public void Take() => Volatile.Write(ref _rung, 0);
    }
}
